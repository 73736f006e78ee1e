"""Simulate a whole screen into a folder: all of it or nothing, the same bytes for the same seed on any process count."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tifffile

from gandl.simulate.camera import Image
from gandl.simulate.design import ScreenDesign
from gandl.simulate.effects import PlateEffects, draw_plate, draw_well
from gandl.simulate.field import draw_empty, draw_field
from gandl.simulate.layout import Plate, Well, plan
from gandl.simulate.morphology import CELL_LINES, STAINS
from gandl.simulate.pharmacology import WellState
from gandl.simulate.tables import write_tables
from gandl_shared.errors import BadInput, Conflict, Problem, raise_if

Progress = Callable[[int, int], None]
"""Called with the number of wells done and the number of all."""

_CHUNK = 4
_LAYOUT, _PLATE, _WELL = 0, 1, 2  # first part of the seeds' spawn keys; _LAYOUT is used by `layout`


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


@dataclass(frozen=True)
class _Task:
    """All that is needed to draw one well in any process."""

    folder: Path
    design: ScreenDesign
    seed: int
    plate: int
    cell_line: str
    well: Well


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
    takes the design's own. Raises Invalid for an impossible design and Conflict where `out` exists and is not empty.
    """
    design = design if seed is None else replace(design, seed=seed)
    problems = [] if processes >= 1 else [Problem(f"{processes} is not at least 1", field="processes")]
    raise_if(problems + design.problems(), BadInput, "this screen cannot be simulated")
    plates = plan(design, design.seed)
    with _atomic_folder(out) as folder:
        write_tables(folder, design, plates, design.seed)
        files = _draw_all(_tasks(folder, design, plates), processes, on_progress or _silent)
    wells = sum(len(plate.wells) for plate in plates)
    return SimulatedScreen(
        out, out / "Images", out / "platemap.csv", out / "truth.csv", len(plates), wells, files
    )


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
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _tasks(folder: Path, design: ScreenDesign, plates: list[Plate]) -> list[_Task]:
    tasks = []
    for plate in plates:
        (folder / "Images" / plate.name).mkdir(parents=True)
        target = folder / "Images" / plate.name
        tasks += [_Task(target, design, design.seed, plate.index, plate.cell_line, w) for w in plate.wells]
    return tasks


def _draw_all(tasks: list[_Task], processes: int, on_progress: Progress) -> int:
    """Draw and write every well; returns the number of files."""
    if processes == 1:
        return _counted(map(_write_well, tasks), len(tasks), on_progress)
    # Spawned, because forking a process that has threads (a notebook, a server) may deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
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
    for site, image in enumerate(draw_sites(task), start=1):
        stem = f"{task.well.name}_s{site}"
        if task.design.multichannel:
            pages = {f"{stem}.tif": image}
        else:
            pages = {f"{stem}_w{c}.tif": image[c - 1] for c in range(1, len(STAINS) + 1)}
        for name, page in pages.items():
            tifffile.imwrite(task.folder / name, page, photometric="minisblack", software="gandl", metadata=None)
        files += len(pages)
    return files


def draw_sites(task: _Task) -> Iterator[Image]:
    """The fields of one well. Its stream of random numbers depends on seed, plate and well only."""
    design, well = task.design, task.well
    rows, columns = design.shape
    rng = _stream(task.seed, _WELL, task.plate, well.row * columns + well.column)
    plate = plate_effects(design, task.seed, task.plate)
    edge = float(well.row in (0, rows - 1) or well.column in (0, columns - 1))
    place = (2 * well.row / (rows - 1) - 1, 2 * well.column / (columns - 1) - 1)
    effects = draw_well(design.effects, plate, place, edge, rng)
    state = None if well.state is None else jittered(well.state, design.effects.state, rng)
    for _ in range(design.sites):
        if state is None:
            yield draw_empty(effects, design.size, design.bits, rng)
        else:
            yield draw_field(CELL_LINES[task.cell_line], state, effects, design.size, design.bits, rng)


def plate_effects(design: ScreenDesign, seed: int, plate: int) -> PlateEffects:
    """What all wells of a plate share, drawn again wherever it is needed."""
    return draw_plate(design.effects, _stream(seed, _PLATE, plate), len(STAINS))


def jittered(state: WellState, spread: float, rng: np.random.Generator) -> WellState:
    """Biological spread between wells: beta-distributed fractions with exactly the expected means."""
    return WellState(_beta(state.rescue, spread, rng), _beta(state.toxicity, spread, rng))


def _beta(mean: float, spread: float, rng: np.random.Generator) -> float:
    if spread <= 0 or mean <= 0 or mean >= 1:
        return mean
    concentration = 1 / spread - 1
    return float(rng.beta(mean * concentration, (1 - mean) * concentration))


def _stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def default_processes() -> int:
    """One process a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
