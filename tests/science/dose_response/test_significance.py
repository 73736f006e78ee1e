"""The activity test is calibrated, in the bulk and in the tail; lack of fit and ANOVA are the textbook's."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.models import HILL, SearchSpace, log_dose
from gandl_science.dose_response.significance import (
    activity_p,
    anova_p,
    best_share,
    lack_of_fit_p,
    q_values,
    share_p,
    simulate_null,
)
from gandl_science.dose_response.solver import DoseMeans, dose_means, solve
from scipy.stats import f_oneway

SPACE = SearchSpace(low=-3.0, high=2.0)
X = log_dose(np.geomspace(0.01, 10.0, 6))


def flat(n: int, replicates: int, rng: np.random.Generator) -> DoseMeans:
    wells = rng.normal(size=(n, 6, replicates))
    return dose_means(X, wells, np.ones_like(wells))


def hill_misfit(data: DoseMeans) -> Float:
    return solve(data, HILL, SPACE).misfit


@pytest.mark.parametrize("replicates", [6, 3, 1])
def test_type_one_error(replicates: int) -> None:
    """4,000 flat curves against a null of 10,000: both vary, so the band is the binomial's widened by a third."""
    rng = np.random.default_rng(replicates)
    null = simulate_null(X, np.full(6, float(replicates)), SPACE, 10_000, rng)
    data = flat(4000, replicates, rng)
    p = activity_p(null, data, hill_misfit(data)).p
    for level in (0.05, 0.01):
        assert abs(np.mean(p <= level) - level) < 4 / 3 * 2.6 * np.sqrt(level * (1 - level) / 4000)


@pytest.mark.parametrize("replicates", [6.0, 3.0, 1.0])
def test_the_tail_is_that_of_simulation(replicates: float) -> None:
    """The tube formula beside 60,000 simulated curves; three standard errors of the count, and the grid of the
    simulation misses a little of the best share (most at 6 × 1, where shares are near 1)."""
    rng = np.random.default_rng(0)
    null = simulate_null(X, np.full(6, replicates), SPACE, 60_000, rng)
    for p in (0.09, 0.03, 0.01, 0.003):
        share = np.quantile(null.shares, 1 - p)
        assert share_p(null, np.array([share]))[0] == pytest.approx(p, rel=0.08 + 3 / np.sqrt(60_000 * p))


def test_p_falls_as_the_share_grows_and_has_no_floor() -> None:
    null = simulate_null(X, np.full(6, 4.0), SPACE, 2000, np.random.default_rng(0))
    p = share_p(null, np.linspace(0.0, 0.999, 400))
    assert np.all(np.diff(p) <= 1e-15)
    assert p[0] > 0.99
    assert p[-1] < 1e-20


def test_a_bell_is_seen_by_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(1)
    wells = rng.normal(size=(1, 6, 6)) * 0.3
    wells[:, 2:4] += 1.0
    null = simulate_null(X, np.full(6, 6.0), SPACE, 4000, rng)
    data = dose_means(X, wells, np.ones_like(wells))
    assert activity_p(null, data, hill_misfit(data)).p[0] < 2.1 * anova_p(data)[0]
    assert 0.0 < best_share(data, null.grid)[0] < 0.7


def test_anova_is_scipys() -> None:
    wells = np.random.default_rng(0).normal(size=(1, 6, 4))
    ours = anova_p(dose_means(X, wells, np.ones_like(wells)))
    assert ours[0] == pytest.approx(f_oneway(*wells[0]).pvalue, rel=1e-9)


def test_lack_of_fit_of_a_constant_is_anova_and_needs_replicates() -> None:
    data = flat(3, 4, np.random.default_rng(2))
    assert lack_of_fit_p(data, data.between, 1) == pytest.approx(anova_p(data))
    single = flat(3, 1, np.random.default_rng(2))
    assert np.isnan(lack_of_fit_p(single, single.between, 1)).all()
    assert np.isnan(lack_of_fit_p(data, data.between, 6)).all()


def test_q_values_are_benjamini_hochberg_and_leave_untested_ones_out() -> None:
    # Benjamini and Hochberg 1995, by hand: q_i = min over j >= i of p_j m / j, m = 4 tested.
    adjusted = q_values([0.01, None, 0.04, 0.03, 0.5])
    assert adjusted[1] is None
    assert [v for v in adjusted if v is not None] == pytest.approx([0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])
    assert q_values([None, None]) == (None, None)
