"""Simulate a whole screen into a folder, complete or not at all, with the same bytes on any number of processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

import tifffile
from gandl_shared.errors import BadInput, Conflict, GandlError, Problem, raise_if
from gandl_shared.files.atomic import atomic_folder

from gandl.simulate.cells.morphology import STAINS
from gandl.simulate.plates.design import ScreenDesign
from gandl.simulate.plates.layout import SimulatedPlate, plan
from gandl.simulate.plates.tables import write_tables
from gandl.simulate.plates.wells import WellJob, draw_sites, jobs

Progress = Callable[[int, int], None]
"""Called with the number of finished wells and the number of all wells."""

_WELLS_PER_TASK = 4


@dataclass(frozen=True, kw_only=True)
class SimulatedScreen:
    """The files of a simulated screen. `platemap` and `truth` are CSV files, `images` is the folder to screen."""

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
    The folder appears when it is complete. The bytes depend only on the design and the seed, which is that of the
    design if `seed` is None. Raises BadInput for an impossible design or folder, Conflict if `out` is not empty.
    """
    design = design if seed is None else replace(design, seed=seed)
    problems = [] if processes >= 1 else [Problem(f"{processes} is not at least 1", field="processes")]
    raise_if([*problems, *design.problems()], BadInput, "this screen cannot be simulated")
    # Every problem is raised before the folder is touched.
    plates = plan(design)
    _prepare_parent(out)
    try:
        with atomic_folder(out) as folder:
            write_tables(folder, design, plates)
            files = _write_all(_tasks(folder, design, plates), processes, on_progress or _ignore)
    except (OSError, BrokenProcessPool) as error:
        raise GandlError(f"{out} was not simulated: {error}") from error
    return SimulatedScreen(
        folder=out,
        images=out / "Images",
        platemap=out / "platemap.csv",
        truth=out / "truth.csv",
        plates=len(plates),
        wells=sum(len(plate.wells) for plate in plates),
        files=files,
    )


def default_processes() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ignore(done: int, total: int) -> None:
    """Do nothing with the progress."""


def _prepare_parent(out: Path) -> None:
    """Create the folder above `out`. Raises Conflict if `out` exists and is not an empty folder, else BadInput."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Conflict(f"{out} exists and is not an empty folder; name a new one or remove it")
    try:
        out.resolve().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out} cannot be created: {error.strerror}") from error


@dataclass(frozen=True)
class _Task:
    folder: Path
    job: WellJob


def _tasks(folder: Path, design: ScreenDesign, plates: list[SimulatedPlate]) -> list[_Task]:
    tasks = []
    for plate in plates:
        target = folder / "Images" / plate.name
        target.mkdir(parents=True)
        tasks += [_Task(target, job) for job in jobs(design, plate)]
    return tasks


def _write_all(tasks: list[_Task], processes: int, on_progress: Progress) -> int:
    """Draw and write every well, and return the number of files."""
    if processes == 1:
        # One process needs no pool, and errors keep their traceback.
        return _counted(map(_write_well, tasks), len(tasks), on_progress)
    # Processes are spawned, because forking a process that has threads (a notebook, a server) may deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=context) as pool:
        try:
            return _counted(pool.map(_write_well, tasks, chunksize=_WELLS_PER_TASK), len(tasks), on_progress)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _counted(file_counts: Iterable[int], total: int, on_progress: Progress) -> int:
    files = 0
    for done, count in enumerate(file_counts, start=1):
        files += count
        on_progress(done, total)
    return files


def _write_well(task: _Task) -> int:
    """Draw and write the sites of a well, and return the number of files."""
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
