"""The same plate through `gandl up` and by `gandl screen`, in processor time: `python -m benchmarks.services.stack`.

Both sides are measured by turns and from the submission on, after a first plate has loaded and warmed everything, so
that starts and imports do not count. Processor time is what all processes of a side used; wall time depends on what
else runs.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from gandl.released_models import released_models
from gandl.screening.run import ScreenJob, run
from gandl_embedding.engine import Engine
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.schemas.screen import ScreenRequest, ScreenState

from benchmarks.tables import row, write_between

MODEL = "gandl-bbbc013-64"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds of the clock and of all processors that a plate took."""

    wall: float
    processor: float


def cost(work: Callable[[], object], processes: list[psutil.Process]) -> Cost:
    """Return what a piece of work took in these processes."""
    before, start = processor_seconds(processes), time.perf_counter()
    work()
    return Cost(wall=time.perf_counter() - start, processor=processor_seconds(processes) - before)


def processor_seconds(processes: list[psutil.Process]) -> float:
    """Return the seconds of user and system time of processes so far."""
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


@contextmanager
def running(images: Path, work: Path) -> Iterator[tuple[str, list[psutil.Process]]]:
    """Start a stack and yield its address and its processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program, folder = Path(sys.executable).with_name("gandl"), images.resolve().parent
    command = [program, "up", "--home", work / "home", "--images", folder, "--port", port]
    stack = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)
    try:
        assert stack.stdout is not None
        stack.stdout.readline()
        yield f"http://127.0.0.1:{port}", psutil.Process(stack.pid).children(recursive=True)
    finally:
        stack.terminate()
        stack.wait(180)


def measure(images: Path, plate_map: Path, rounds: int) -> tuple[Cost, Cost]:
    """Run the plate by turns in this process and through a stack; return the median costs of both sides."""
    engine = Engine.load(released_models() / f"{MODEL}.onnx")
    request = ScreenRequest(images=images.name, plate_map_csv=plate_map.read_text(), model=MODEL)
    with tempfile.TemporaryDirectory() as folder, running(images, Path(folder)) as (url, processes):

        def direct() -> None:
            run(ScreenJob(images=images, plate_map=plate_map, out=Path(folder) / "out"), engine)

        def through_the_stack() -> None:
            *_, last = client.watch(client.submit(request).id)
            assert last.state is ScreenState.DONE, last.summary

        with AnalysisClient(url) as client:
            pairs = [(cost(direct, [psutil.Process()]), cost(through_the_stack, processes)) for _ in range(1 + rounds)]
    # The first plate loads and warms both sides.
    return median([one for one, _ in pairs[1:]]), median([other for _, other in pairs[1:]])


def median(costs: list[Cost]) -> Cost:
    """Return the medians of several costs."""
    return Cost(
        wall=statistics.median(each.wall for each in costs),
        processor=statistics.median(each.processor for each in costs),
    )


def table(one: Cost, other: Cost) -> str:
    """Return both costs and their ratios as a table in Markdown."""
    pairs = (("by the clock, s", one.wall, other.wall), ("processor, s", one.processor, other.processor))
    rows = [row(name, f"{first:.2f}", f"{second:.2f}", f"{second / first:.2f}") for name, first, second in pairs]
    return "\n".join([row("", "`gandl screen`", "through the stack", "ratio"), "|---|---|---|---|", *rows])


def main() -> None:
    """Measure both sides, print a table, and write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plate", type=Path, required=True, help="folder with the folder `images` and platemap.csv")
    parser.add_argument("--rounds", type=int, default=3, help="plates on each side, after the first")
    parser.add_argument("--page", type=Path, help="page of docs/ whose table is written again")
    options = parser.parse_args()
    plate = options.plate
    text = table(*measure(plate / "images", plate / "platemap.csv", options.rounds))
    print(text)
    if options.page is not None:
        write_between(options.page, "stack", text)


if __name__ == "__main__":
    main()
