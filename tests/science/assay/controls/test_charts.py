"""Control charts and the minimum significant ratio against published and closed-form values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gandl_science.assay.controls.charts import (
    SignificantRatio,
    individuals_limits,
    repeats_ratio,
    retest_ratio,
    significant_range,
)

FLOWRATES = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
"""The example of the NIST/SEMATECH e-Handbook of Statistical Methods, section 6.3.2.2 (individuals control chart)."""


def test_limits_are_those_of_the_handbook() -> None:
    limits = individuals_limits(FLOWRATES)
    assert limits is not None
    # The handbook gives the mean 50.81, the mean moving range 1.8778, and the limits 45.8159 and 55.8041.
    assert limits.centre == pytest.approx(50.81)
    low, high = limits.limits(3)
    assert (low, high) == (pytest.approx(45.8159, abs=5e-4), pytest.approx(55.8041, abs=5e-4))
    assert limits.deviations(55.8041) == pytest.approx(3, abs=1e-3)


def test_a_few_values_have_no_limits_and_equal_ones_do_not_deviate() -> None:
    assert individuals_limits(FLOWRATES[:7]) is None
    limits = individuals_limits([2.0] * 8)
    assert limits is not None
    assert (limits.sd, limits.deviations(3.0)) == (0.0, 0.0)


def test_a_shift_widens_the_limits_less_than_the_spread_of_all_values() -> None:
    rng = np.random.default_rng(2100)
    values = [*rng.normal(0, 1, 20), *rng.normal(6, 1, 20)]
    limits = individuals_limits(values)
    assert limits is not None
    assert limits.sd < 1.6 < np.std(values, ddof=1)


def test_a_retest_of_known_differences() -> None:
    # Differences of ±0.1 in log10: s_d = 0.1 √(n / (n - 1)), and no shift between the runs.
    first = [1.0] * 10
    second = [10**0.1, 10**-0.1] * 5
    ratio = retest_ratio(first, second)
    assert ratio is not None
    sd = 0.1 * math.sqrt(10 / 9)
    assert ratio.sd_log10 == pytest.approx(sd)
    assert ratio.ratio == pytest.approx(10 ** (2 * sd))
    assert ratio.mean_ratio == pytest.approx(1.0)
    assert retest_ratio(first[:5], second[:5]) is None
    with pytest.raises(ValueError, match="10 first and 9 second"):
        retest_ratio(first, second[:9])


def test_many_repeats_approach_the_formula_of_the_assay_guidance_manual() -> None:
    # 10^(2 √2 s): a standard deviation of 0.1633 gives the 2.9-fold that the manual calls three-fold.
    rng = np.random.default_rng(2101)
    repeats = 10 ** rng.normal(0, 0.1633, (400, 6))
    ratio = repeats_ratio(repeats.tolist())
    assert ratio is not None
    assert ratio.ratio == pytest.approx(10 ** (2 * math.sqrt(2) * 0.1633), rel=0.03)


def test_equal_compounds_differ_by_more_than_the_ratio_once_in_twenty() -> None:
    rng = np.random.default_rng(7)
    apart = 0
    for _ in range(400):
        logs = rng.normal(0, 0.2, (5, 4))
        ratio = repeats_ratio((10**logs).tolist())
        assert ratio is not None
        difference = abs(float(np.subtract(*rng.normal(0, 0.2, 2))))
        apart += difference > math.log10(ratio.ratio)
    # 400 trials at 5 %: 20 expected, and 20 ± 13 are three standard deviations.
    assert 7 <= apart <= 33


def test_compounds_that_were_measured_once_do_not_count() -> None:
    assert repeats_ratio([[1.0], [2.0], [1.0, 1.1, 0.9]]) is None


def test_the_range_of_several_values_is_that_of_tukey() -> None:
    # Tables of the studentized range at 5 % give q = 3.151 for two and 3.877 for three values at 10 degrees of freedom.
    ratio = SignificantRatio(ratio=0.0, sd_log10=0.1, freedom=10)
    assert math.log10(significant_range(ratio, 2)) == pytest.approx(0.3151, abs=1e-4)
    assert math.log10(significant_range(ratio, 3)) == pytest.approx(0.3877, abs=1e-4)
    pairs = repeats_ratio([[1.0, 1.3], [2.0, 2.1], [0.3, 0.4], [5.0, 4.0], [1.0, 1.1]])
    assert pairs is not None
    assert significant_range(pairs, 2) == pytest.approx(pairs.ratio, rel=1e-6)
