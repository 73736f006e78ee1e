"""The share that the best Hill curve of a grid explains."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.models import HILL, SearchSpace, log_dose
from gandl_science.dose_response.significance.shares import best_shares, grid_points, hill_grids
from gandl_science.dose_response.solver.curves import solve
from gandl_science.dose_response.solver.means import dose_means

SPACE = SearchSpace(low=-3.0, high=2.0)
X = log_dose(np.geomspace(0.01, 10.0, 6))


def test_the_grid_comes_close_to_the_best_curve_and_never_beyond_it() -> None:
    wells = np.random.default_rng(1).normal(size=(50, 6, 4)) + X[:, None]
    data = dose_means(X, wells, np.ones_like(wells))
    share = best_shares(data, hill_grids(X[None], SPACE))
    best = (data.between - solve(data, HILL, SPACE).misfit) / (data.between + data.pure)
    assert np.all(share <= best + 1e-9)
    assert share == pytest.approx(best, rel=0.02)


def test_grids_have_seven_locations_per_decade_and_six_slopes() -> None:
    assert grid_points(np.array([1.0, 5.0])).tolist() == [6 * 15, 6 * 36]
    assert hill_grids(X[None], SPACE).shape == (1, 6, 216)
