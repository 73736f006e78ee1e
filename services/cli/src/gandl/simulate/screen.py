"""Simulate a whole screen into a folder: all or nothing, the same bytes for a seed on any number of processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import tifffile
from gandl_shared.errors import BadInput, Conflict, GandlError, Problem, raise_if

from gandl.simulate.cells.morphology import STAINS
from gandl.simulate.plates.design import ScreenDesign
from gandl.simulate.plates.layout import Plate, plan
from gandl.simulate.plates.tables import write_tables
from gandl.simulate.plates.wells import WellJob, draw_sites, jobs

Progress = Callable[[int, int], None]
"""Called with the number of wells done and the number of all."""

_CHUNK = 4


@dataclass(frozen=True)
class SimulatedScreen:
    """What was written. `platemap` and `truth` are CSV files, `images` the folder to screen."""

    folder: Path
    images: Path
    platemap: Path
    truth: Path
    plates: int
    wells: int
    files: int


def simulate_screen(
    out: Path,
    design: ScreenDesign,
    *,
    seed: int | None = None,
    processes: int = 1,
    on_progress: Progress | None = None,
) -> SimulatedScreen:
    """Draw all images of `design` and write them with plate map and truth to the new folder `out`.

    Images are `Images/<plate>/<well>_s<site>_w<channel>.tif` (or `<well>_s<site>.tif` with `design.multichannel`).
    Everything is written beside `out` and renamed at the end. The bytes depend on design and seed only; `seed` None
    takes the design's own. Raises BadInput for an impossible design or folder, Conflict where `out` is not empty.
    """
    design = design if seed is None else replace(design, seed=seed)
    problems = [] if processes >= 1 else [Problem(f"{processes} is not at least 1", field="processes")]
    raise_if([*problems, *design.problems()], BadInput, "this screen cannot be simulated")
    plates = plan(design)
    with _atomic_folder(out.resolve()) as folder:
        write_tables(folder, design, plates)
        files = _write_all(_tasks(folder, design, plates), processes, on_progress or _silent)
    wells = sum(len(plate.wells) for plate in plates)
    return SimulatedScreen(out, out / "Images", out / "platemap.csv", out / "truth.csv", len(plates), wells, files)


def default_processes() -> int:
    """One process a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _silent(done: int, total: int) -> None:
    """The progress of those who asked for none."""


@contextmanager
def _atomic_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out` that becomes `out` at the end, or vanishes if anything goes wrong."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Conflict(f"{out} exists and is not an empty folder; name a new one or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.partial-", dir=out.parent))
    except OSError as error:
        raise BadInput(f"{out} cannot be made: {error.strerror}") from error
    try:
        yield folder
        folder.chmod(0o755)
        folder.rename(out)
    except (OSError, BrokenProcessPool) as error:
        raise GandlError(f"{out} was not simulated: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Task:
    folder: Path
    job: WellJob


def _tasks(folder: Path, design: ScreenDesign, plates: list[Plate]) -> list[_Task]:
    tasks = []
    for plate in plates:
        target = folder / "Images" / plate.name
        target.mkdir(parents=True)
        tasks += [_Task(target, job) for job in jobs(design, plate)]
    return tasks


def _write_all(tasks: list[_Task], processes: int, on_progress: Progress) -> int:
    """Draw and write every well; returns the number of files."""
    if processes == 1:
        return _counted(map(_write_well, tasks), len(tasks), on_progress)
    # Spawned, because forking a process that has threads (a notebook, a server) may deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=context) as pool:
        try:
            return _counted(pool.map(_write_well, tasks, chunksize=_CHUNK), len(tasks), on_progress)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _counted(written: Iterator[int], total: int, on_progress: Progress) -> int:
    files = 0
    for done, count in enumerate(written, start=1):
        files += count
        on_progress(done, total)
    return files


def _write_well(task: _Task) -> int:
    """Draw the sites of a well and write them; returns the number of files."""
    files = 0
    for site, image in enumerate(draw_sites(task.job), start=1):
        stem = f"{task.job.well.name}_s{site}"
        if task.job.design.multichannel:
            pages = {f"{stem}.tif": image}
        else:
            pages = {f"{stem}_w{c}.tif": image[c - 1] for c in range(1, len(STAINS) + 1)}
        for name, page in pages.items():
            tifffile.imwrite(task.folder / name, page, photometric="minisblack", software="gandl", metadata=None)
        files += len(pages)
    return files
