"""The permutation test of designs with one well per dose."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.noise.permutation import permutation_p
from gandl_science.dose_response.significance.shares import hill_grids

SPACE = SearchSpace(low=-3.0, high=2.0)


def p_of(responses: Float) -> float:
    x = np.linspace(-2.0, 1.0, responses.size)
    return permutation_p(x, responses, hill_grids(x[None], SPACE), np.random.default_rng(0))


def test_a_perfect_curve_of_seven_wells_has_the_least_p_that_orders_allow() -> None:
    """The order of the data and its reverse, of 5,040."""
    assert p_of(1 / (1 + 10.0 ** -np.linspace(-6.0, 6.0, 7))) == pytest.approx(2 / 5040)


def test_p_does_not_depend_on_the_unit_of_the_response() -> None:
    y = np.random.default_rng(3).normal(size=9)
    assert p_of(y) == pytest.approx(p_of(100 + 1e4 * y), rel=1e-6)


@pytest.mark.parametrize("wells", [6, 9])
def test_with_heavy_tails_it_calls_no_more_than_its_level(wells: int) -> None:
    """300 inert compounds with noise of two degrees of freedom: at most the 99.9 % quantile of the binomial."""
    rng = np.random.default_rng(wells)
    p = np.array([p_of(rng.standard_t(2, wells)) for _ in range(300)])
    assert np.sum(p <= 0.05) <= 28
    assert np.sum(p <= 0.01) <= 10


def test_beyond_the_draws_p_goes_on_falling() -> None:
    x = np.linspace(-3.0, 3.0, 12)
    rise = 1 / (1 + 10.0 ** (-1.5 * x))
    rng = np.random.default_rng(0)
    noisy, clear = rise + 0.2 * rng.normal(size=12), rise + 0.02 * rng.normal(size=12)
    assert p_of(clear) < p_of(noisy) < 0.01
