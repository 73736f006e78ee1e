"""The same plate through `gandl up` and by `gandl screen`, in processor time: `python -m benchmarks.services.stack`.

Both sides are measured from the submission on, after a first plate has loaded and warmed everything, so that starts and
imports do not count. Processor time is what all processes of a side used; wall time depends on what else runs.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
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


def direct(images: Path, plate_map: Path, work: Path) -> Cost:
    """Run the plate twice in this process and return the cost of the second time."""
    engine = Engine.load(released_models() / f"{MODEL}.onnx")
    own = [psutil.Process()]

    def screen(name: str) -> Callable[[], object]:
        return lambda: run(ScreenJob(images=images, plate_map=plate_map, out=work / name), engine)

    screen("first")()
    return cost(screen("second"), own)


def through_the_stack(images: Path, plate_map: Path, work: Path) -> Cost:
    """Run the plate twice through a stack and return the cost of the second time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        Path(sys.executable).with_name("gandl"),
        "up",
        "--home",
        work / "home",
        "--images",
        images.resolve().parent,
    ]
    stack = subprocess.Popen([*map(str, command), "--port", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert stack.stdout is not None
        stack.stdout.readline()
        request = ScreenRequest(images=images.name, plate_map_csv=plate_map.read_text(), model=MODEL)
        with AnalysisClient(f"http://127.0.0.1:{port}") as client:

            def screen() -> None:
                *_, last = client.watch(client.submit(request).id)
                assert last.state is ScreenState.DONE, last.summary

            screen()
            return cost(screen, psutil.Process(stack.pid).children(recursive=True))
    finally:
        stack.terminate()
        stack.wait(180)


def table(one: Cost, other: Cost) -> str:
    """Return both costs and their ratios as a table in Markdown."""
    pairs = (("by the clock, s", one.wall, other.wall), ("processor, s", one.processor, other.processor))
    rows = [row(name, f"{first:.2f}", f"{second:.2f}", f"{second / first:.2f}") for name, first, second in pairs]
    return "\n".join([row("", "`gandl screen`", "through the stack", "ratio"), "|---|---|---|---|", *rows])


def main() -> None:
    """Measure both sides, print a table, and write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plate", type=Path, required=True, help="folder with the folder `images` and platemap.csv")
    parser.add_argument("--page", type=Path, help="page of docs/ whose table is written again")
    options = parser.parse_args()
    plate = options.plate
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        one = direct(plate / "images", plate / "platemap.csv", work)
        other = through_the_stack(plate / "images", plate / "platemap.csv", work)
    text = table(one, other)
    print(text)
    if options.page is not None:
        write_between(options.page, "stack", text)


if __name__ == "__main__":
    main()
