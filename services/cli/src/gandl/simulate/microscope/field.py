"""One field of view: cells, stains and microscope combined."""

from __future__ import annotations

import numpy as np

from gandl.simulate.cells.morphology import CellMorphology
from gandl.simulate.cells.pharmacology import WellState
from gandl.simulate.cells.population import populate
from gandl.simulate.microscope.camera import Image, photograph
from gandl.simulate.microscope.effects import WellEffects
from gandl.simulate.microscope.stains import paint


def draw_field(
    morphology: CellMorphology,
    state: WellState,
    effects: WellEffects,
    rng: np.random.Generator,
    *,
    size: int,
    bits: int,
) -> Image:
    """Return the camera counts [5, size, size] of one field of a well, uint8 or uint16 by `bits`."""
    cells = populate(morphology, state, effects.density, size, rng)
    return photograph(paint(morphology, cells, size, rng), effects, bits, rng)


def draw_empty(effects: WellEffects, rng: np.random.Generator, *, size: int, bits: int) -> Image:
    """Return a field of a well without cells: background, illumination and noise."""
    return photograph(np.zeros((5, size, size), np.float32), effects, bits, rng)
