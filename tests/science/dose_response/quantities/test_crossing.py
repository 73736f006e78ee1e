"""The absolute EC50: equal to a curve that is parametrised by it, wider with an error of the level, and bounds."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit, LevelCrossing
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from scipy.optimize import brentq, least_squares
from scipy.stats import f as f_distribution

DOSES = np.repeat(np.geomspace(0.01, 10.0, 6), 4)


def hill(c: Float, ec50: float, top: float) -> Float:
    return -1.0 + (top + 1.0) / (1.0 + (ec50 / c) ** 1.5)


def fit_of(response: Float, level: float = 0.0, variance: float = 0.0) -> CurveFit:
    options = CurveOptions(n_null=500, level=level, scale=ResponseScale(), robust=False)
    (fit,) = fit_curves([DoseResponseData(DOSES, response, None, variance)], options, np.random.default_rng(0))
    return fit


def crossing_of(response: Float, level: float = 0.0, variance: float = 0.0) -> LevelCrossing:
    crossing = fit_of(response, level, variance).crossing
    assert crossing is not None
    return crossing


def profile_ends(response: Float, level: float) -> tuple[float, float]:
    """Return the interval of the dose x of the level, by curves that are parametrised by x (an independent solver)."""

    def residuals(free: Float, x: float) -> Float:
        location, slope, amplitude = free
        share = 1.0 / (1.0 + 10 ** (np.exp(slope) * (location - np.log10(DOSES))))
        at_x = 1.0 / (1.0 + 10 ** (np.exp(slope) * (location - x)))
        return np.asarray(level + amplitude * (share - at_x) - response)

    def misfit(x: float) -> float:
        starts = [(-0.5, 0.4, 2.0), (x, 0.4, 2.0), (-0.5, 0.0, 1.5)]
        return min(2 * least_squares(residuals, s, args=(x,), xtol=1e-12, ftol=1e-12).cost for s in starts)

    x = np.linspace(-1.5, 0.6, 22)
    values = np.array([misfit(v) for v in x])
    best = float(x[values.argmin()])
    minimum = min(misfit(v) for v in np.linspace(best - 0.1, best + 0.1, 11))
    allowed = minimum * (1 + f_distribution.ppf(0.95, 1, DOSES.size - 4) / (DOSES.size - 4))

    def excess(v: float) -> float:
        return misfit(v) - allowed

    return 10 ** brentq(excess, best - 0.8, best, xtol=1e-4), 10 ** brentq(excess, best, best + 0.8, xtol=1e-4)


@pytest.mark.slow
def test_the_interval_is_that_of_curves_that_are_parametrised_by_the_crossing() -> None:
    response = hill(DOSES, 0.3, 0.6) + np.random.default_rng(2).normal(size=DOSES.size) * 0.2
    crossing = crossing_of(response)
    assert crossing.estimate is not None
    assert fit_of(response).predict(np.array([crossing.estimate]))[0] == pytest.approx(0.0, abs=1e-9)
    assert (crossing.low, crossing.high) == pytest.approx(profile_ends(response, 0.0), rel=0.01)


def test_an_error_of_the_level_makes_the_interval_wider() -> None:
    response = hill(DOSES, 0.3, 1.0) + np.random.default_rng(2).normal(size=DOSES.size) * 0.2
    firm, soft = crossing_of(response), crossing_of(response, variance=0.02)
    assert firm.estimate == soft.estimate
    assert firm.low and firm.high and soft.low and soft.high
    assert soft.low < firm.low < firm.high < soft.high


def test_a_level_that_no_curve_reaches_is_certainly_above_and_one_behind_all_doses_below() -> None:
    noise = np.random.default_rng(2).normal(size=DOSES.size) * 0.03
    never = crossing_of(hill(DOSES, 0.3, -0.3) + noise)
    assert (never.estimate, never.low, never.high) == (None, np.inf, None)
    always = crossing_of(1.2 + hill(DOSES, 0.3, 1.0) + noise)
    assert (always.estimate, always.low, always.high) == (None, None, 0.0)


def test_a_level_that_a_curve_may_reach_is_open_above() -> None:
    crossing = crossing_of(hill(DOSES, 0.3, 0.0) + np.random.default_rng(5).normal(size=DOSES.size) * 0.2)
    assert crossing.low is not None
    assert 0.3 < crossing.low < 10
    assert crossing.high is None
