"""`gandl up` as a process of its own, for tests that use it as a user does."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from gandl_shared.testing import wait_until

MODELS = Path(__file__).parents[2] / "models"


class Stack:
    """A running `gandl up`."""

    def __init__(self, home: Path, images: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [Path(sys.executable).with_name("gandl"), "up", "--home", home, "--images", images]
        command += ["--models", MODELS, "--port", str(port)]
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert self.url in first, first
        self.family = [psutil.Process(self.process.pid).pid, *self.children()]

    def children(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]

    def has_ended(self) -> bool:
        return not any(alive(pid) for pid in self.family)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def stack(home: Path, images: Path, port: int) -> Iterator[Stack]:
    running = Stack(home, images, port)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGINT)
        running.process.communicate(timeout=60)
        wait_until(running.has_ended, what="every process of the stack gone")
