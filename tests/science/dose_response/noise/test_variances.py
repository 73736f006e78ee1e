"""The activity test without the assumption that all doses scatter equally."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.noise.variances import DoseScatter, VarianceCheck, check_variances
from gandl_science.dose_response.solver.means import dose_means
from scipy.stats import f_oneway

SPACE = SearchSpace(low=-3.0, high=2.0)
X = np.linspace(-2.0, 1.0, 6)


def check(wells: Float, alpha: float = 0.0) -> VarianceCheck:
    data = dose_means(X[: wells.shape[1]], wells, np.ones_like(wells))
    within = ((wells - data.mean[:, :, None]) ** 2).sum(axis=2)
    df = np.full(wells.shape[1], wells.shape[2] - 1.0)
    return check_variances(DoseScatter(data=data, within=within, df=df, raw=within, raw_df=df), SPACE, alpha)


@pytest.mark.parametrize("replicates", [2, 3, 6])
def test_with_a_noisy_dose_no_more_than_the_level_is_significant_in_spite_of_any_group(replicates: int) -> None:
    wells = np.random.default_rng(0).normal(size=(2000, 6, replicates))
    wells[:, -1] *= 5
    assert np.mean(check(wells).cautious <= 0.05) < 0.05


def test_evidence_alone_brings_the_level_near_its_name() -> None:
    """Analysis of variance calls a seventh of such compounds; the p-value of evident groups overrules most of them."""
    wells = np.random.default_rng(1).normal(size=(2000, 6, 3))
    wells[:, -1] *= 5
    normal = np.array([f_oneway(*rows).pvalue for rows in wells])
    p = np.maximum(normal, check(wells).evident)
    assert np.mean(normal <= 0.05) > 0.12
    assert np.mean(p <= 0.05) < 0.07


def test_a_full_curve_does_not_rest_on_one_dose() -> None:
    wells = 2 / (1 + 10 ** (-1.5 * (X + 0.5)))[None, :, None] + 0.25 * np.random.default_rng(2).normal(size=(200, 6, 3))
    assert np.all(check(wells).cautious < 0.05)


def test_groups_that_are_cleared_at_the_level_keep_a_p_value_within_it() -> None:
    wells = np.random.default_rng(4).normal(size=(300, 6, 3))
    wells[:, 3:] += 2
    exact, quick = check(wells).cautious, check(wells, alpha=0.05).cautious
    assert np.array_equal(exact <= 0.05, quick <= 0.05)
    assert np.all(quick >= exact - 1e-12)


def test_equal_wells_are_not_divided_by_zero() -> None:
    assert np.all(check(np.ones((1, 6, 3))).cautious == 1)


def test_a_single_well_at_an_end_is_left_out() -> None:
    """The effect is that of one well, so nothing is left without it."""
    wells = np.random.default_rng(5).normal(size=(50, 6, 1)) * 0.1
    wells[:, -1] += 5
    result = check(wells)
    assert np.mean(result.cautious > 0.05) > 0.9
    assert np.all(result.evident == 0)


def test_a_part_without_degrees_of_freedom_has_no_analysis_of_variance() -> None:
    """Twelve plates among 18 wells leave one degree of freedom to six doses, and a half of it to three of them."""
    wells = np.random.default_rng(6).normal(size=(20, 6, 3)) * 0.1 + np.arange(6)[None, :, None]
    data = dose_means(X, wells, np.full_like(wells, 7 / 18))
    within = (7 / 18 * (wells - data.mean[:, :, None]) ** 2).sum(axis=2)
    scatter = DoseScatter(data=data, within=within, df=data.weight[0] - 1, raw=within * 18 / 7, raw_df=np.full(6, 2.0))
    checked = check_variances(scatter, SPACE, 0.0)
    assert np.isfinite([checked.evident, checked.cautious]).all()
