"""One field of view: cells, stains and microscope put together."""

from __future__ import annotations

import numpy as np

from gandl.simulate.camera import Image, photograph
from gandl.simulate.effects import WellEffects
from gandl.simulate.morphology import CellLine
from gandl.simulate.pharmacology import WellState
from gandl.simulate.population import populate
from gandl.simulate.stains import paint


def draw_field(
    line: CellLine, state: WellState, effects: WellEffects, rng: np.random.Generator, *, size: int, bits: int
) -> Image:
    """Camera counts [5, size, size] of one field of a well, uint8 or uint16 by `bits`."""
    cells = populate(line, state, effects.density, size, rng)
    return photograph(paint(line, cells, size, rng), effects, bits, rng)


def draw_empty(effects: WellEffects, rng: np.random.Generator, *, size: int, bits: int) -> Image:
    """A field of a well without cells: background, illumination and noise."""
    return photograph(np.zeros((5, size, size), np.float32), effects, bits, rng)
