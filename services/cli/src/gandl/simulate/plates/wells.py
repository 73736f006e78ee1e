"""The fields of one well, which depend only on the design, the seed and the position of the well."""

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
from gandl.simulate.plates.layout import SimulatedPlate, SimulatedWell
from gandl.simulate.seeds import Stream, stream


@dataclass(frozen=True, kw_only=True)
class WellJob:
    """Everything that a process needs to draw one well; `plate` is the index of the plate in the screen."""

    design: ScreenDesign
    plate: int
    cell_line: str
    well: SimulatedWell


def jobs(design: ScreenDesign, plate: SimulatedPlate) -> Iterator[WellJob]:
    """Return the jobs of a plate, in the order of its wells."""
    return (WellJob(design=design, plate=plate.index, cell_line=plate.cell_line, well=well) for well in plate.wells)


def draw_sites(job: WellJob) -> Iterator[Image]:
    """Yield the fields [5, size, size] of one well. Its random numbers depend only on seed, plate and well."""
    design, well = job.design, job.well
    rng = stream(design.seed, Stream.WELL, job.plate, well.row * design.shape[1] + well.column)
    effects = _effects(job, rng)
    state = None if well.state is None else jittered(well.state, design.effects.state, rng)
    for _ in range(design.sites):
        if state is None:
            yield draw_empty(effects, rng, size=design.size, bits=design.bits)
        else:
            morphology = CELL_LINES[job.cell_line]
            yield draw_field(morphology, state, effects, rng, size=design.size, bits=design.bits)


def _effects(job: WellJob, rng: np.random.Generator) -> WellEffects:
    """Return the nuisances of the well. Those of its plate are drawn again from the stream of the plate."""
    rows, columns = job.design.shape
    row, column = job.well.row, job.well.column
    plate = draw_plate(job.design.effects, stream(job.design.seed, Stream.PLATE, job.plate), len(STAINS))
    # Evaporation acts on the outermost ring of wells.
    edge = float(row in (0, rows - 1) or column in (0, columns - 1))
    position = (2 * row / (rows - 1) - 1, 2 * column / (columns - 1) - 1)
    return draw_well(job.design.effects, plate, position, edge, rng)


def jittered(state: WellState, spread: float, rng: np.random.Generator) -> WellState:
    """Return a state with the biological spread between wells: beta-distributed fractions with the expected means."""
    return WellState(rescue=_beta(state.rescue, spread, rng), toxicity=_beta(state.toxicity, spread, rng))


def _beta(mean: float, spread: float, rng: np.random.Generator) -> float:
    if spread <= 0 or mean <= 0 or mean >= 1:
        return mean
    # A beta distribution with this concentration has the variance mean · (1 - mean) · spread.
    concentration = 1 / spread - 1
    return float(rng.beta(mean * concentration, (1 - mean) * concentration))
