"""One field of view: cells, stains and microscope put together."""

from __future__ import annotations

import numpy as np

from gandl.simulate.cells.morphology import CellLine
from gandl.simulate.cells.pharmacology import WellState
from gandl.simulate.cells.population import populate
from gandl.simulate.microscope.camera import Image, photograph
from gandl.simulate.microscope.effects import WellEffects
from gandl.simulate.microscope.stains import paint


def draw_field(
    line: CellLine, state: WellState, effects: WellEffects, rng: np.random.Generator, *, size: int, bits: int
) -> Image:
    """Camera counts [5, size, size] of one field of a well, uint8 or uint16 by `bits`."""
    cells = populate(line, state, effects.density, size, rng)
    return photograph(paint(line, cells, size, rng), effects, bits, rng)


def draw_empty(effects: WellEffects, rng: np.random.Generator, *, size: int, bits: int) -> Image:
    """A field of a well without cells: background, illumination and noise."""
    return photograph(np.zeros((5, size, size), np.float32), effects, bits, rng)
