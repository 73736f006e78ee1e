"""Search grids cover the space, and batches hold every curve once."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.models import GAIN_LOSS, HILL, VEHICLE, SearchSpace, Shape
from gandl_science.dose_response.solver.grids import grid_batches, search_grids

SPACE = SearchSpace(low=-3.0, high=2.0)


@pytest.mark.parametrize(("shape", "per_decade"), [(HILL, 10), (GAIN_LOSS, 3)])
def test_the_grid_covers_the_space_and_the_locations_are_in_order(shape: Shape, per_decade: int) -> None:
    x = np.array([VEHICLE, 0.0, 0.5, 1.0, 2.5])
    (batch,) = grid_batches(shape, x, SPACE, 1)
    grids = search_grids(shape, batch)
    points = np.arange(grids.basis.shape[2])
    theta = grids.theta(np.zeros_like(points), points)
    assert pytest.approx(shape.basis(x, theta), rel=1e-7, abs=1e-200) == grids.basis[0].T
    low, high = shape.bounds(SPACE)
    assert np.all(theta >= low - 1e-12) and np.all(theta <= high + 1e-12)
    assert np.diff(np.unique(theta[:, 0].round(9))).max() <= 1 / per_decade + 1e-9
    if shape is GAIN_LOSS:
        assert np.all(theta[:, 0] < theta[:, 1])


@pytest.mark.parametrize("shape", [HILL, GAIN_LOSS])
def test_every_curve_is_in_one_batch_with_the_grid_of_its_own_doses(shape: Shape) -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-2.0, 1.0, (60, 6)), axis=1)
    # Thirty curves share a dilution series from stocks of different concentrations.
    x[:30] = x[0] + rng.uniform(-1.0, 1.0, 30)[:, None]
    space = SearchSpace(low=x[:, 0] - 1, high=x[:, -1] + 1)
    batches = grid_batches(shape, x, space, 60)
    assert sorted(np.concatenate([batch.curves for batch in batches]).tolist()) == list(range(60))
    for batch in batches:
        grids = search_grids(shape, batch)
        rows = np.arange(batch.n_curves)
        points = rng.integers(grids.basis.shape[2], size=rows.size)
        expected = shape.basis(x[batch.curves], grids.theta(rows, points))
        assert grids.basis[rows // batch.members.shape[1], :, points] == pytest.approx(expected, rel=1e-6)
