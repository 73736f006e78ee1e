"""Sums of squares and plateaus by hand."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.models import HILL, log_dose
from gandl_science.dose_response.solver.means import dose_means, explained, plateaus

X = log_dose(np.geomspace(0.01, 10.0, 8))


def test_sums_of_squares_add_up_to_those_of_the_wells() -> None:
    rng = np.random.default_rng(0)
    wells, weights = rng.normal(size=(1, 8, 3)), rng.random((1, 8, 3))
    data = dose_means(X, wells, weights)
    grand_mean = np.average(wells, weights=weights)
    assert data.grand_mean[0] == pytest.approx(grand_mean)
    total = (weights * (wells - grand_mean) ** 2).sum()
    assert data.between[0] + data.pure[0] == pytest.approx(total)


def test_plateaus_are_those_of_weighted_regression() -> None:
    rng = np.random.default_rng(1)
    wells, weights = rng.normal(size=(1, 8, 2)), rng.random((1, 8, 2)) + 0.1
    data, basis = dose_means(X, wells, weights), HILL.basis(X, np.array([[-1.0, 0.5]]))
    bottom, amplitude, residual = plateaus(data, basis)
    slope, intercept = np.polyfit(basis[0], data.mean[0], 1, w=np.sqrt(data.weight[0]))
    assert (bottom[0], amplitude[0]) == pytest.approx((intercept, slope))
    gain = data.between[0] - (data.weight * residual**2).sum()
    assert explained(data, basis[:, :, None])[0, 0] == pytest.approx(gain)
