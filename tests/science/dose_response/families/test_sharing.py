"""Shared plateaus, their errors and the intervals are those of one fit of all curves with all parameters."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.families.least_squares import CurveProblem, profile_location
from gandl_science.dose_response.families.shapes import HILL_FAMILY
from gandl_science.dose_response.families.sharing import solve_together
from gandl_science.dose_response.models import LN10, log_dose
from scipy.optimize import least_squares
from scipy.special import expit
from scipy.stats import f as f_distribution

DOSES = np.geomspace(0.01, 30, 8)
X = np.log10(DOSES)
TRUTHS = ((-1.0, 1.0), (0.3, 1.5), (1.2, 2.0))
"""log10 EC50 and slope; the third curve does not reach its plateau."""
RNG = np.random.default_rng(11)
MEANS = [expit(LN10 * slope * (X - at)) + RNG.normal(size=8) * 0.04 for at, slope in TRUTHS]


def problems() -> list[CurveProblem]:
    low, high = np.array([-3.0, np.log(0.3), -np.inf, -np.inf]), np.array([2.5, np.log(8.0), np.inf, np.inf])
    return [
        CurveProblem(x=log_dose(DOSES), mean=y, weight=np.ones(8), shape=HILL_FAMILY, direction=1.0, low=low, high=high)
        for y in MEANS
    ]


def joint_residuals(vector: Float) -> Float:
    """All curves at once: (log10 EC50, ln slope) of each, then bottom and top of all."""
    bottom, top = vector[-2:]
    curves = [bottom + (top - bottom) * expit(LN10 * np.exp(vector[2 * k + 1]) * (X - vector[2 * k])) for k in range(3)]
    return np.concatenate([curve - y for curve, y in zip(curves, MEANS, strict=True)])


START = np.array([value for at, slope in TRUTHS for value in (at, np.log(slope))] + [0.0, 1.0])


def test_the_plateaus_and_all_errors_are_those_of_the_joint_fit() -> None:
    joint = least_squares(joint_residuals, START, xtol=1e-13, ftol=1e-13, gtol=1e-13, jac="3-point")
    together = solve_together(problems(), (0, 1))
    variance = 2 * joint.cost / (24 - 8)
    covariance = np.linalg.inv(joint.jac.T @ joint.jac) * variance
    for k, optimum in enumerate(together.optima):
        assert optimum.vector == pytest.approx(np.r_[joint.x[2 * k : 2 * k + 2], joint.x[-2:]], abs=1e-5)
        entries = [2 * k, 2 * k + 1, 6, 7]
        assert optimum.covariance(variance) == pytest.approx(covariance[np.ix_(entries, entries)], rel=1e-3, abs=1e-8)


def test_the_interval_of_an_ec50_is_near_that_of_the_joint_profile() -> None:
    joint = least_squares(joint_residuals, START)
    variance = 2 * joint.cost / 16
    low, high = profile_location(solve_together(problems(), (0, 1)).optima[2], variance, 16, 0.95)
    limit = variance * f_distribution.ppf(0.95, 1, 16)
    for end in (low, high):

        def with_location(rest: Float, end: float = end) -> Float:
            return joint_residuals(np.insert(rest, 4, end))

        cost = 2 * least_squares(with_location, np.delete(joint.x, 4)).cost - 2 * joint.cost
        assert cost == pytest.approx(limit, rel=0.02)


def test_one_plateau_may_be_shared_alone() -> None:
    optima = solve_together(problems(), (1,)).optima
    assert len({round(float(each.vector[-1]), 9) for each in optima}) == 1
    assert len({round(float(each.vector[-2]), 9) for each in optima}) == 3
