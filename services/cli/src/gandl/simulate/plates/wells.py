"""The fields of one well, from nothing but the design, the seed and the well's place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gandl.simulate.cells.morphology import CELL_LINES, STAINS
from gandl.simulate.cells.pharmacology import WellState
from gandl.simulate.microscope.camera import Image
from gandl.simulate.microscope.effects import WellEffects, draw_plate, draw_well
from gandl.simulate.microscope.field import draw_empty, draw_field
from gandl.simulate.plates.design import ScreenDesign
from gandl.simulate.plates.layout import Plate, Well
from gandl.simulate.seeds import Stream, stream


@dataclass(frozen=True)
class WellJob:
    """All that is needed to draw one well in any process: `plate` is the plate's index in the screen."""

    design: ScreenDesign
    plate: int
    cell_line: str
    well: Well


def jobs(design: ScreenDesign, plate: Plate) -> Iterator[WellJob]:
    """The jobs of a plate, in the order of its wells."""
    return (WellJob(design, plate.index, plate.cell_line, well) for well in plate.wells)


def draw_sites(job: WellJob) -> Iterator[Image]:
    """The fields [5, size, size] of one well. Its random numbers depend on seed, plate and well only."""
    design, well = job.design, job.well
    rng = stream(design.seed, Stream.WELL, job.plate, well.row * design.shape[1] + well.column)
    effects = _effects(job, rng)
    state = None if well.state is None else jittered(well.state, design.effects.state, rng)
    for _ in range(design.sites):
        if state is None:
            yield draw_empty(effects, rng, size=design.size, bits=design.bits)
        else:
            line = CELL_LINES[job.cell_line]
            yield draw_field(line, state, effects, rng, size=design.size, bits=design.bits)


def _effects(job: WellJob, rng: np.random.Generator) -> WellEffects:
    """The plate's nuisances, drawn again from the plate's own stream, and the well's on top."""
    rows, columns = job.design.shape
    row, column = job.well.row, job.well.column
    plate = draw_plate(job.design.effects, stream(job.design.seed, Stream.PLATE, job.plate), len(STAINS))
    edge = float(row in (0, rows - 1) or column in (0, columns - 1))
    place = (2 * row / (rows - 1) - 1, 2 * column / (columns - 1) - 1)
    return draw_well(job.design.effects, plate, place, edge, rng)


def jittered(state: WellState, spread: float, rng: np.random.Generator) -> WellState:
    """Biological spread between wells: beta-distributed fractions with exactly the expected means."""
    return WellState(_beta(state.rescue, spread, rng), _beta(state.toxicity, spread, rng))


def _beta(mean: float, spread: float, rng: np.random.Generator) -> float:
    if spread <= 0 or mean <= 0 or mean >= 1:
        return mean
    concentration = 1 / spread - 1
    return float(rng.beta(mean * concentration, (1 - mean) * concentration))
