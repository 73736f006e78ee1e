"""Bounded least squares finds the optimum in every unit; errors and intervals are those of the estimated entries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.families.least_squares import CurveProblem, profile_location, solve_curve
from gandl_science.dose_response.families.shapes import BRAIN_COUSENS, HILL_FAMILY
from gandl_science.dose_response.models import log_dose
from scipy.optimize import curve_fit

DOSES = np.geomspace(0.01, 30, 8)
NOISE = np.random.default_rng(7).normal(size=8) * 0.03


def problem(low: Float, high: Float, *, y: Float) -> CurveProblem:
    return CurveProblem(
        x=log_dose(DOSES),
        mean=y,
        weight=np.full(8, 3.0),
        shape=HILL_FAMILY,
        direction=1.0,
        low=np.array([-3.0, np.log(0.3), *low]),
        high=np.array([2.5, np.log(8.0), *high]),
    )


Y = DOSES**1.4 / (0.5**1.4 + DOSES**1.4) + NOISE
FREE = (np.full(2, -np.inf), np.full(2, np.inf))
FIXED = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def test_fixed_plateaus_agree_with_an_independent_fit_and_its_errors() -> None:
    best = solve_curve(problem(*FIXED, y=Y))
    estimate, covariance = curve_fit(lambda x, e, s: 1 / (1 + np.exp(s * (e - np.log(x)))), DOSES, Y, (-1.0, 1.0))
    assert best.vector[0] * np.log(10) == pytest.approx(estimate[0], abs=1e-6)
    assert np.exp(best.vector[1]) == pytest.approx(estimate[1], rel=1e-6)
    variance = best.cost / 6
    ours = np.sqrt(best.covariance(variance)[0, 0]) * np.log(10)
    assert ours == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-4)
    assert np.isnan(best.covariance(variance)[2:]).all(), "what is fixed has no error"


def test_fixing_what_is_true_narrows_the_interval() -> None:
    widths = []
    for bounds, df in ((FREE, 4), (FIXED, 6)):
        best = solve_curve(problem(*bounds, y=Y))
        low, high = profile_location(best, 0.03**2 * 3, df, 0.95)
        widths.append(high - low)
    assert widths[1] < 0.9 * widths[0]


def test_a_bound_that_holds_is_reported_and_has_no_error() -> None:
    best = solve_curve(problem(np.array([0.3, -np.inf]), np.array([0.4, np.inf]), y=Y))
    assert best.at_bound.tolist() == [False, False, True, False]
    assert best.vector[2] == pytest.approx(0.3, abs=1e-5)
    assert np.isnan(best.covariance(1.0)[2, 2]) and np.isfinite(best.covariance(1.0)[0, 0])


def test_a_profile_without_an_end_is_open() -> None:
    flat = solve_curve(problem(*FREE, y=NOISE))
    assert profile_location(flat, 1.0, 4, 0.95) == (-np.inf, np.inf)
    assert profile_location(flat, np.nan, 0.0, 0.95) == (-np.inf, np.inf)


def test_a_falling_curve_is_not_a_rising_one_upside_down() -> None:
    assert solve_curve(problem(*FREE, y=-Y)).vector[-2:].tolist() != sorted(-Y)
    down = solve_curve(replace(problem(*FREE, y=-Y), direction=-1.0))
    assert down.is_upright and down.vector[-2] == pytest.approx(-1.0, abs=0.1)
    falling = replace(problem(*FREE, y=-Y), direction=-1.0, shape=BRAIN_COUSENS)
    low, high = (np.insert(each, 2, value) for each, value in ((falling.low, -6.9), (falling.high, 9.2)))
    low[1] = 0.0
    best = solve_curve(replace(falling, low=low, high=high))
    assert best.is_upright and best.cost < 0.03
