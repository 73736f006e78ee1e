"""How long a large plate takes to inspect, and how fast a screen is against an earlier commit.

    python -m benchmarks.layouts inspect
    python -m benchmarks.layouts speed --before ../gandl-before --images IMAGES --platemap MAP --model MODEL

`inspect` makes a plate of 1,536 wells with 4 sites and 5 channels in the names of Harmony (all files are links to one
tiny image) and a folder of 100,000 files, and prints time, peak memory and the number of folders that were listed.
`speed` runs `gandl screen` of this checkout and of another one in turn, and prints the ratio of their shortest times.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import tifffile
from gandl_shared.jobs import Subject, inspect_images
from gandl_shared.plates.layouts import list_folder

ROOT = Path(__file__).parents[1]
SOURCES = (
    "science/src",
    "shared/src",
    "training/src",
    *(f"services/{s}/src" for s in ("embedding", "worker", "analysis", "cli")),
)
T = TypeVar("T")


def main() -> None:
    """Run one of the two benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("inspect")
    speed = commands.add_parser("speed")
    for name in ("before", "images", "platemap", "model"):
        speed.add_argument(f"--{name}", type=Path, required=True)
    speed.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.command == "inspect":
        measure_inspection()
    else:
        measure_speed(arguments)


def measure_inspection() -> None:
    """Print the time and the memory of the inspection of a large plate, and of listing a large folder."""
    with tempfile.TemporaryDirectory() as folder:
        plate = large_plate(Path(folder, "P1__2024-05-01T10_00_00-Measurement 1"))
        report = measured("inspect 1,536 wells x 4 sites x 5 channels", lambda: inspect_images(Subject(images=plate)))
        assert (report.sites, len(report.channels)) == (1536 * 4, 5)
        many = Path(folder, "many")
        many.mkdir()
        for number in range(100_000):
            (many / f"A01_s{number}_w1.tif").touch()
        assert len(measured("list 100,000 files", lambda: list_folder(many)).images) == 100_000


def large_plate(folder: Path) -> Path:
    """Return a folder of 30,720 images, which are links to one."""
    (folder / "Images").mkdir(parents=True)
    first = folder / "image.bin"
    tifffile.imwrite(first, np.arange(256, dtype=np.uint16).reshape(16, 16))
    for row in range(1, 33):
        for column in range(1, 49):
            for site in range(1, 5):
                for channel in range(1, 6):
                    name = f"r{row:02d}c{column:02d}f{site:02d}p01-ch{channel}sk1fk1fl1.tiff"
                    os.link(first, folder / "Images" / name)
    return folder


def measured(what: str, step: Callable[[], T]) -> T:
    """Return the result of a step, and print its time, the growth of peak memory and the number of listed folders."""
    folders: list[object] = []
    scandir = os.scandir
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    os.scandir = lambda path=".": folders.append(path) or scandir(path)  # type: ignore[assignment, func-returns-value]
    start = time.perf_counter()
    result = step()
    seconds = time.perf_counter() - start
    os.scandir = scandir
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{what}: {seconds:.1f} s, {growth:.0f} MB more memory, {len(folders)} folders listed")
    return result


def measure_speed(arguments: argparse.Namespace) -> None:
    """Print the shortest times of both checkouts and their ratio; they run in turn, on the same machine."""
    times: dict[Path, list[float]] = {arguments.before: [], ROOT: []}
    for _ in range(arguments.repeats):
        for checkout, seconds in times.items():
            seconds.append(screen_seconds(checkout.resolve(), arguments))
    before, now = (min(seconds) for seconds in times.values())
    print(f"before {before:.2f} s, now {now:.2f} s, ratio {now / before:.3f}")


def screen_seconds(checkout: Path, arguments: argparse.Namespace) -> float:
    """Return how long `gandl screen` of a checkout takes, with the start of Python."""
    sources = os.pathsep.join(str(checkout / source) for source in SOURCES)
    command = [sys.executable, "-c", "from gandl.main import run; run()", "screen", arguments.images.resolve()]
    with tempfile.TemporaryDirectory() as out:
        options = [
            "--platemap",
            arguments.platemap.resolve(),
            "--model",
            arguments.model.resolve(),
            "--out",
            f"{out}/out",
        ]
        start = time.perf_counter()
        subprocess.run(
            [*map(str, command), *map(str, options)],
            check=True,
            capture_output=True,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": sources},
        )
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
