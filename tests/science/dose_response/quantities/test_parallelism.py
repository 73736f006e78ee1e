"""Parallel curves: the F-test and the potency ratio against independent fits; refusals, plates and shared vehicle."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.quantities.parallelism import Parallelism, WellPair, compare_curves
from scipy.optimize import curve_fit
from scipy.stats import f as f_distribution

DOSES = np.repeat(np.geomspace(0.01, 10.0, 6), 3)
SPACE = SearchSpace(low=-3.0, high=2.0)


def hill(c: Float, ec50: Float | float, slope: Float | float, bottom: Float | float, top: Float | float) -> Float:
    return np.asarray(bottom + (top - bottom) / (1 + (ec50 / c) ** slope))


def pair(first: Float, second: Float, plate: Float | None = None) -> WellPair:
    n = 2 * DOSES.size
    return WellPair(
        concentration=np.tile(DOSES, 2),
        response=np.concatenate([first, second]),
        weight=np.ones(n),
        is_other=np.arange(n) >= DOSES.size,
        is_shared=np.zeros(n, dtype=bool),
        plate=np.zeros(n, dtype=int) if plate is None else plate,
    )


def compared(wells: WellPair, second_slope: float = 1.5) -> Parallelism:
    starts = np.array([-0.5, np.log(1.5)]), np.array([0.0, np.log(second_slope)])
    result = compare_curves(wells, SPACE, *starts)
    assert result is not None
    return result


@pytest.fixture
def noise() -> Float:
    return np.random.default_rng(7).normal(size=(2, DOSES.size)) * 0.2


def test_ratio_f_and_p_are_those_of_scipy(noise: Float) -> None:
    first, second = hill(DOSES, 0.3, 1.5, -1, 1) + noise[0], hill(DOSES, 1.0, 1.5, -1, 1) + noise[1]
    result = compared(pair(first, second))
    start = [0.3, 1.5, -1, 1]
    own = [curve_fit(hill, DOSES, y, p0=start)[0] for y in (first, second)]
    full = sum(float(((hill(DOSES, *p) - y) ** 2).sum()) for p, y in zip(own, (first, second), strict=True))

    def both(c: Float, ec50: float, other: float, slope: float, bottom: float, top: float) -> Float:
        return np.concatenate([hill(DOSES, e, slope, bottom, top) for e in (ec50, other)])

    response = np.concatenate([first, second])
    best, covariance = curve_fit(both, np.tile(DOSES, 2), response, p0=[0.3, 1.0, 1.5, -1, 1])
    reduced = float(((both(DOSES, *best) - response) ** 2).sum())
    f = (reduced - full) / 3 / (full / 28)
    assert result.df == (3, 28)
    assert result.f == pytest.approx(f, rel=1e-4)
    assert result.p_value == pytest.approx(f_distribution.sf(f, 3, 28), rel=1e-3)
    assert result.ratio == pytest.approx(best[0] / best[1], rel=1e-4)
    # The linear interval of the logarithm is near the profile interval.
    gradient = np.array([1 / best[0], -1 / best[1]])
    width = 2.04 * np.sqrt(gradient @ covariance[:2, :2] @ gradient)
    assert (result.low, result.high) == pytest.approx(result.ratio * np.exp([-width, width]), rel=0.05)


def test_curves_of_different_tops_are_not_parallel(noise: Float) -> None:
    result = compared(pair(hill(DOSES, 0.3, 1.5, -1, 1) + noise[0], hill(DOSES, 0.3, 1.5, -1, 0) + noise[1]))
    assert result.p_value < 1e-4


def test_plates_that_shift_a_whole_replicate_change_nothing(noise: Float) -> None:
    first, second = hill(DOSES, 0.3, 1.5, -1, 1) + noise[0], hill(DOSES, 1.0, 1.5, -1, 1) + noise[1]
    plate = np.tile(np.arange(3), 12)
    flat = compared(pair(first, second, plate))
    shifted = pair(first, second, plate)
    shifted.response[:] += np.array([0.0, 2.0, -1.0])[plate]
    moved = compared(shifted)
    assert (moved.ratio, moved.p_value) == pytest.approx((flat.ratio, flat.p_value), rel=1e-3)
    assert flat.df == (3, 26)


def test_shared_vehicle_wells_make_the_left_plateau_common(noise: Float) -> None:
    wells = pair(hill(DOSES, 0.3, 1.5, -1, 1) + noise[0], hill(DOSES, 1.0, 1.5, -1, 1) + noise[1])
    vehicle = -1 + np.random.default_rng(8).normal(size=8) * 0.2
    with_vehicle = WellPair(
        concentration=np.concatenate([wells.concentration, np.zeros(8)]),
        response=np.concatenate([wells.response, vehicle]),
        weight=np.ones(44),
        is_other=np.concatenate([wells.is_other, np.ones(8, dtype=bool)]),
        is_shared=np.arange(44) >= 36,
        plate=np.zeros(44, dtype=int),
    )
    assert compared(with_vehicle).df == (2, 37)


def test_too_few_wells_have_no_comparison() -> None:
    few = np.array([0.01, 0.1, 1.0, 10.0])
    wells = WellPair(
        concentration=np.tile(few, 2),
        response=np.tile(hill(few, 0.3, 1.5, -1, 1), 2),
        weight=np.ones(8),
        is_other=np.arange(8) >= 4,
        is_shared=np.zeros(8, dtype=bool),
        plate=np.zeros(8, dtype=int),
    )
    start = np.array([-0.5, 0.4])
    assert compare_curves(wells, SPACE, start, start) is None
