"""A whole stack with real processes, and one fault after another in the middle of three screens, by the clock."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import redis
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.errors import GandlError
from gandl_shared.schemas.screen import ScreenRequest, ScreenState, ScreenStatus
from gandl_shared.testing import free_port, wait_until

from tests.cases.plates import write_images, write_plate_map
from tests.e2e.running_stack import Stack, stack
from tests.faults.record import Recovery, record

pytestmark = pytest.mark.slow

SCREENS, AWAY_SECONDS, MAX_SECONDS = 3, 3.0, 600.0
_PATH = re.compile(r"(?<![:/])(/[\w.-]+)+/|(?<=http://)[\d.]+:\d+")


@dataclass
class Plate:
    """A stack and a plate below its folder of images."""

    home: Path
    images: Path
    stack: Stack
    client: AnalysisClient
    request: ScreenRequest

    def process(self, name: str) -> psutil.Process:
        """Return the process of a part by a word of its command."""
        children = psutil.Process(self.stack.process.pid).children(recursive=True)
        return next(each for each in children if name in " ".join(each.cmdline()))

    def statuses(self, screens: list[str]) -> list[ScreenStatus]:
        return [self.client.screen(screen) for screen in screens]


@dataclass
class Progress:
    """The progress of several screens, and all that their statuses said."""

    plate: Plate
    screens: list[str]
    messages: list[str] = field(default_factory=list)

    def done(self) -> int:
        """Return how many sites are done; while the server is away, what it said last counts."""
        try:
            statuses = self.plate.statuses(self.screens)
        except GandlError as error:
            self._note(f"no answer: {error.detail}")
            return -1
        for status in statuses:
            self._note(status.waiting or "")
        return sum(status.progress.done for status in statuses) + sum(status.state.has_ended for status in statuses)

    def has_ended(self) -> bool:
        """Return whether all screens have ended."""
        return all(status.state.has_ended for status in self.plate.statuses(self.screens))

    def _note(self, text: str) -> None:
        plain = _PATH.sub("…/", text)
        if plain and plain not in self.messages:
            self.messages.append(plain)


@contextmanager
def aside(folder: Path) -> Iterator[None]:
    """Take a folder away for a moment."""
    other = folder.with_name("aside")
    folder.rename(other)
    time.sleep(AWAY_SECONDS)
    yield
    other.rename(folder)


@contextmanager
def killed(plate: Plate, name: str) -> Iterator[None]:
    """End a part without a word."""
    plate.process(name).send_signal(signal.SIGKILL)
    yield


@contextmanager
def emptied(plate: Plate) -> Iterator[None]:
    """Let Valkey forget everything."""
    port = next(each.laddr.port for each in plate.process("valkey-server").net_connections() if each.status == "LISTEN")
    redis.Redis(port=port, password=(plate.home / "secret").read_text().strip()).flushall()
    yield


FAULTS: dict[str, Callable[[Plate], AbstractContextManager[None]]] = {
    "nothing": lambda _: nullcontext(),
    "the folder of images is away for 3 s": lambda plate: aside(plate.images / "plate"),
    "the store is away for 3 s": lambda plate: aside(plate.home / "store"),
    "the worker is killed": lambda plate: killed(plate, "gandl.stack.worker"),
    "the HTTP server with the model is killed": lambda plate: killed(plate, "gandl.stack.http"),
    "Valkey is killed": lambda plate: killed(plate, "valkey-server"),
    "Valkey forgets everything": emptied,
}


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plate]:
    folder = tmp_path_factory.mktemp("recovery")
    write_images(folder / "images" / "plate")
    text = write_plate_map(folder / "map.csv").read_text()
    request = ScreenRequest(images="plate", plate_map_csv=text, model="gandl-bbbc013-64")
    with (
        stack(folder / "home", folder / "images", free_port()) as running,
        AnalysisClient(running.url) as client,
    ):
        yield Plate(folder / "home", folder / "images", running, client, request)


def test_every_fault_is_survived_and_its_results_are_those_without_it(plate: Plate) -> None:
    undisturbed = plate.client.submit(plate.request).id
    wait_until(lambda: plate.client.screen(undisturbed).state.has_ended, what="the first screen", seconds=MAX_SECONDS)
    expected = plate.client.wells_csv(undisturbed)
    for name, fault in FAULTS.items():
        survive(plate, name, fault, expected)


def survive(plate: Plate, name: str, fault: Callable[[Plate], AbstractContextManager[None]], expected: str) -> None:
    """Submit screens, let the fault happen in their middle, wait for their ends, and compare."""
    screens = [plate.client.submit(plate.request).id for _ in range(SCREENS)]
    progress = Progress(plate, screens)
    wait_until(lambda: progress.done() > 8, what="the first batches", seconds=MAX_SECONDS)
    with fault(plate):
        before = progress.done()
    start = time.monotonic()
    wait_until(lambda: progress.done() > before, what=f"progress after {name}", seconds=MAX_SECONDS)
    seconds = time.monotonic() - start
    wait_until(progress.has_ended, what=f"the end after {name}", seconds=MAX_SECONDS)
    for status in plate.statuses(screens):
        assert (status.state, status.progress.parked) == (ScreenState.DONE, 0), (name, status)
        assert plate.client.wells_csv(status.id) == expected, name
    record(Recovery(fault=name, seconds=seconds, messages="; ".join(progress.messages), result="identical `wells.csv`"))
