"""Simulated vectors hold what the truth of a well says."""

from __future__ import annotations

import numpy as np
from gandl.simulate.cells.pharmacology import HEALTHY_WELL, INFECTED_WELL, WellState
from gandl.simulate.published.vectors import VectorDrawing

DRAWING = VectorDrawing(features=256, cell_types=("A", "B"), seed=3)


def mean(cell_type: str, state: WellState) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    rng = np.random.default_rng(1)
    return np.mean([DRAWING.draw(cell_type, state, 0, rng) for _ in range(200)], axis=0, dtype=np.float64)


def test_infection_moves_vectors_in_proportion_and_cell_types_lie_apart() -> None:
    healthy, half, infected = (mean("A", s) for s in (HEALTHY_WELL, WellState(rescue=0.5), INFECTED_WELL))
    way = infected - healthy
    assert 0.4 < (half - healthy) @ way / (way @ way) < 0.6
    assert np.linalg.norm(mean("B", HEALTHY_WELL) - healthy) > 2 * np.linalg.norm(way)


def test_equal_arguments_give_equal_vectors() -> None:
    one, two = (DRAWING.draw("A", HEALTHY_WELL, 1, np.random.default_rng(5)) for _ in range(2))
    assert (one == two).all()
    assert one.shape == (256,)
