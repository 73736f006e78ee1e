"""Exact curves are recovered, bounds and a fixed parameter hold."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.models import HILL, SearchSpace, log_dose
from gandl_science.dose_response.solver.curves import solve
from gandl_science.dose_response.solver.means import DoseMeans, dose_means, plateaus
from gandl_science.dose_response.solver.polish import polish

SPACE = SearchSpace(low=-3.0, high=2.0)
X = log_dose(np.geomspace(0.01, 10.0, 8))


def means(*curves: Float) -> DoseMeans:
    wells = np.stack(curves)[:, :, None]
    return dose_means(X, wells, np.ones_like(wells))


def hill(log_ec50: float, slope: float, bottom: float = -1.0, top: float = 1.0) -> Float:
    return bottom + (top - bottom) * HILL.basis(X, np.array([log_ec50, np.log(slope)]))


def test_exact_curves_are_found_again_together() -> None:
    truths = [(-1.3, 1.0), (0.2, 3.0), (-2.5, 0.6)]
    solution = solve(means(*(hill(*truth) for truth in truths)), HILL, SPACE)
    assert solution.theta == pytest.approx(np.array([(e, np.log(s)) for e, s in truths]), abs=1e-5)
    assert solution.bottom == pytest.approx(np.full(3, -1.0), abs=1e-4)
    assert solution.top == pytest.approx(np.full(3, 1.0), abs=1e-4)
    assert solution.misfit.max() < 1e-12


def test_a_slope_beyond_the_bounds_ends_on_the_bound() -> None:
    solution = solve(means(hill(-0.4, 20.0)), HILL, SPACE)
    assert np.exp(solution.theta[0, 1]) == pytest.approx(8.0, rel=1e-9)


def test_the_polish_never_makes_a_fit_worse_and_leaves_a_fixed_parameter() -> None:
    data = means(hill(-0.7, 1.5) + np.random.default_rng(2).normal(size=8) * 0.2)
    start = np.array([[0.5, 0.0]])
    before = (data.weight * plateaus(data, HILL.basis(X, start))[2] ** 2).sum()
    free, fixed = polish(data, HILL, SPACE, start), polish(data, HILL, SPACE, start, fixed=0)
    assert free.misfit[0] <= fixed.misfit[0] <= before
    assert fixed.theta[0, 0] == 0.5
    assert start.tolist() == [[0.5, 0.0]], "the start is not changed"


def test_flat_data_has_no_amplitude_and_no_warning() -> None:
    solution = solve(means(np.full(8, 3.0)), HILL, SPACE)
    assert (solution.bottom[0], solution.top[0], solution.misfit[0]) == pytest.approx((3.0, 3.0, 0.0))
