"""The geometry that the stains of a field share."""

from __future__ import annotations

import numpy as np
from gandl.simulate import CELL_LINES
from gandl.simulate.cells.pharmacology import HEALTHY_WELL
from gandl.simulate.cells.population import populate
from gandl.simulate.microscope.canvas import Canvas, prepare

MORPHOLOGY = CELL_LINES["VERO-like"]


def canvas(size: int = 128) -> Canvas:
    rng = np.random.default_rng(5)
    return prepare(MORPHOLOGY, populate(MORPHOLOGY, HEALTHY_WELL, 1.0, size, rng), size, rng)


def test_masks_are_fractions_and_nuclei_are_inside_cells() -> None:
    field = canvas()
    for mask in (field.inside, field.nuclear):
        assert mask.min() >= 0 and mask.max() <= 1
    assert (field.nuclear <= field.inside).all()
    assert 0.05 < field.nuclear.mean() < field.inside.mean()


def test_the_background_has_no_staining() -> None:
    field = canvas()
    assert field.stain.shape == (5, len(field.cells) + 1)
    assert (field.stain[:, -1] == 0).all() and (field.stain[:, :-1] > 0).all()


def test_offsets_lead_back_to_the_centre_of_the_cell() -> None:
    field = canvas()
    _row, column = np.mgrid[0:128, 0:128]
    is_cell = field.label < len(field.cells)
    x = np.append(field.cells.x, 0)[field.label]
    assert np.allclose((column - field.dx)[is_cell], x[is_cell], atol=1e-4)
