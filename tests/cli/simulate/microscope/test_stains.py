"""The five stains of a field."""

from __future__ import annotations

import numpy as np
from gandl.simulate import CELL_LINES
from gandl.simulate.cells.pharmacology import HEALTHY_WELL, WellState
from gandl.simulate.cells.population import Population, populate
from gandl.simulate.microscope.canvas import prepare
from gandl.simulate.microscope.stains import dna, paint, vacuoles

MORPHOLOGY = CELL_LINES["HRCE-like"]


def cells(state: WellState, density: float = 1.0) -> Population:
    return populate(MORPHOLOGY, state, density, 128, np.random.default_rng(2))


def test_all_stains_are_bright_inside_cells_and_never_negative() -> None:
    """Outside cells there is only debris. Equal generators give equal outlines to the mask and to the stains."""
    population = cells(HEALTHY_WELL, density=0.5)
    inside = prepare(MORPHOLOGY, population, 128, np.random.default_rng(3)).inside
    stains = paint(MORPHOLOGY, population, 128, np.random.default_rng(3))
    assert stains.shape == (5, 128, 128) and stains.dtype == np.float32 and stains.min() >= 0
    assert (inside == 0).mean() > 0.05
    assert (stains[:, inside == 1].mean(axis=1) > 5 * stains[:, inside == 0].mean(axis=1)).all()


def test_dna_is_in_the_nuclei() -> None:
    canvas = prepare(MORPHOLOGY, cells(HEALTHY_WELL), 128, np.random.default_rng(3))
    image = dna(canvas, np.random.default_rng(4))
    assert image[canvas.nuclear > 0.9].mean() > 20 * image[(canvas.nuclear < 0.1) & (canvas.inside > 0.9)].mean()


def test_poison_makes_vacuoles() -> None:
    holes = []
    for state in (HEALTHY_WELL, WellState(rescue=1.0, toxicity=1.0)):
        canvas = prepare(MORPHOLOGY, cells(state), 128, np.random.default_rng(3))
        holes.append((vacuoles(canvas, np.random.default_rng(4)) < 0.7).mean())
    assert holes[1] > 3 * holes[0]


def test_a_field_without_cells_is_black() -> None:
    population = cells(HEALTHY_WELL, density=1e-6)
    assert len(population) == 0
    assert not paint(MORPHOLOGY, population, 64, np.random.default_rng(0)).any()
