"""Curves of known truth: a gain-loss curve, gross outliers, and optima found by an exhaustive multi-start search."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.models import HILL
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.solver.curves import solve
from scipy.optimize import least_squares

OPTIONS = CurveOptions(n_null=2000)


def fit(c: Float, y: Float, options: CurveOptions = OPTIONS) -> CurveFit:
    return fit_curves([DoseResponseData(c, y)], options, np.random.default_rng(0))[0]


def hill(c: Float, bottom: float, top: float, ec50: float, slope: float) -> Float:
    return bottom + (top - bottom) / (1.0 + (ec50 / c) ** slope)


def test_gain_loss_without_noise_gives_back_its_six_parameters() -> None:
    c = np.repeat(np.geomspace(0.003, 30.0, 9), 3)
    y = -0.9 + 1.7 / (1 + (0.08 / c) ** 1.7) / (1 + (c / 4.0) ** 2.6)
    curve = fit(c, y + np.tile([-0.01, 0.0, 0.01], 9))
    assert curve.model == "gain_loss"
    expected = {"ec50": 0.08, "loss_ec50": 4.0, "slope": 1.7, "loss_slope": 2.6, "bottom": -0.9, "top": 0.8}
    # Symmetric pairs of wells leave the dose means on the curve: the optimum is the truth.
    assert {k: p.estimate for k, p in curve.params.items()} == pytest.approx(expected, rel=1e-4)


def test_gain_loss_with_noise_holds_the_truth_in_its_intervals() -> None:
    c = np.repeat(np.geomspace(0.01, 10.0, 8), 6)
    y = -1 + 2 / (1 + (0.1 / c) ** 2.0) / (1 + (c / 3.0) ** 3.0) + np.random.default_rng(3).normal(size=c.size) * 0.15
    curve = fit(c, y)
    assert curve.model == "gain_loss"
    assert curve.ec50 is not None
    assert curve.loss_ec50 is not None
    assert curve.ec50.low is not None and curve.ec50.low < 0.1 < (curve.ec50.high or np.inf)
    assert (curve.loss_ec50.low or 0.0) < 3.0 < (curve.loss_ec50.high or np.inf)


def test_two_gross_outliers_in_35_wells() -> None:
    c = np.repeat(np.geomspace(0.05, 200.0, 7), 5)
    y = hill(c, 0.0, 1.0, 3.3, 1.5) + np.random.default_rng(5).normal(size=35) * 0.05
    y[[0, 1]] += 6.0
    plain = fit(c, y, CurveOptions(n_null=2000, robust=False))
    robust = fit(c, y)
    assert plain.ec50 is not None
    assert robust.ec50 is not None
    assert abs(np.log10(plain.ec50.estimate / 3.3)) > 1.0
    assert robust.ec50.estimate == pytest.approx(3.3, rel=0.12)
    assert np.flatnonzero(robust.weights < 1.0).tolist() == [0, 1]
    assert np.all(robust.weights[[0, 1]] < 0.02)


def test_outliers_among_duplicates_are_compared_with_the_curve() -> None:
    c = np.repeat(np.geomspace(0.01, 100.0, 10), 2)
    y = hill(c, -1.0, 1.0, 1.0, 1.5) + np.random.default_rng(2).normal(size=20) * 0.05
    y[3] += 3.0
    curve = fit(c, y)
    assert curve.weights[3] < 0.05
    assert curve.ec50 is not None
    assert curve.ec50.estimate == pytest.approx(1.0, rel=0.15)


def test_a_toxic_drop_is_not_an_outlier() -> None:
    c = np.repeat(np.geomspace(0.01, 10.0, 6), 3)
    y = hill(c, -1.0, 1.0, 0.1, 1.5) + np.random.default_rng(2).normal(size=18) * 0.1
    y[-3:] = [-1.5, -1.4, -1.6]
    assert np.all(fit(c, y).weights == 1.0)


@pytest.mark.parametrize(
    "seed", [0, 4, 6, *(pytest.param(s, marks=pytest.mark.slow) for s in (1, 2, 3, 5, *range(7, 13)))]
)
def test_the_optimum_is_the_best_of_sixty_starts(seed: int) -> None:
    """Noisy, flat, steep and off-range curves: nothing better than ours exists within the same bounds."""
    rng = np.random.default_rng(seed)
    c = np.repeat(np.geomspace(0.01, 10.0, 8), 1 + seed % 3)
    truth = hill(c, 0.0, rng.choice([0.3, 1.0, -1.0]), 10 ** rng.uniform(-3, 2), rng.uniform(0.4, 7.0))
    y = truth + rng.normal(size=c.size) * rng.choice([0.05, 0.3])
    x = np.log10(c)
    low, high = x.min() - 1.0, x.max() + 1.0

    def residual(theta: Float) -> Float:
        h = 1.0 / (1.0 + 10.0 ** (np.exp(theta[1]) * (theta[0] - x)))
        design = np.column_stack([np.ones_like(h), h])
        return np.asarray(design @ np.linalg.lstsq(design, y, rcond=None)[0] - y)

    bounds = (np.array([low, np.log(0.3)]), np.array([high, np.log(8.0)]))
    starts = rng.uniform(*bounds, size=(60, 2))
    best = min(2.0 * least_squares(residual, s, bounds=bounds, xtol=1e-12, ftol=1e-12).cost for s in starts)
    ours = _hill_rss(c, y)
    assert ours <= best * (1 + 1e-6)


def _hill_rss(c: Float, y: Float) -> float:
    """Residual sum of squares of our Hill solution, whatever model AICc would choose."""
    _, design = next(designs([DoseResponseData(c, y)], CurveOptions(robust=False)))
    solution = solve(design.data, HILL, design.space)
    return float(solution.misfit[0] + design.data.pure[0])
