"""A disk of the stack that is really full, and then is not: readiness says so, and the screen ends complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from gandl_shared.testing import free_port, wait_until

from tests.cases.plates import write_images, write_plate_map
from tests.e2e.running_stack import stack

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(disk)]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def ready(url: str) -> tuple[int, str]:
    answer = httpx.get(f"{url}/health/ready", timeout=30)
    return answer.status_code, answer.text


def test_a_full_home_ends_neither_the_stack_nor_the_screen(small_disk: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "plate")
    plate_map = write_plate_map(tmp_path / "map.csv").read_text()
    request = ScreenRequest(images="plate", plate_map_csv=plate_map, model="gandl-bbbc013-64")
    with stack(small_disk / "home", tmp_path, free_port()) as running, AnalysisClient(running.url) as client:
        screen = client.submit(request).id
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 2**16)
        wait_until(lambda: ready(running.url)[0] == 503, what="readiness that tells the truth")
        assert "is full" in ready(running.url)[1]
        assert "is full" in (client.screen(screen).waiting or "")
        time.sleep(20)  # a stack that gives up does so in this time
        assert running.process.poll() is None
        filler.unlink()
        wait_until(lambda: ready(running.url)[0] == 200, what="the stack ready again")
        wait_until(lambda: ended(client, screen), what="the end of the screen", seconds=200)
        status = client.screen(screen)
        assert (status.state, status.progress.parked) == (ScreenState.DONE, 0), status.error
        again = client.submit(request).id
        wait_until(lambda: ended(client, again), what="the end of the same screen without a fault", seconds=200)
        assert client.wells_csv(screen) == client.wells_csv(again)


def ended(client: AnalysisClient, screen: str) -> bool:
    return client.screen(screen).state.has_ended
