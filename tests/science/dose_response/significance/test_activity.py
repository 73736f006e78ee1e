"""The activity test is calibrated; designs that are tested together do not change each other."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.models import HILL, SearchSpace, log_dose
from gandl_science.dose_response.significance.activity import NullSimulations, activity_batches, activity_p
from gandl_science.dose_response.significance.f_tests import anova_p
from gandl_science.dose_response.significance.null import simulate_null, simulate_wells
from gandl_science.dose_response.solver.curves import solve
from gandl_science.dose_response.solver.means import DoseMeans, dose_means

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


def test_a_bell_is_seen_by_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(1)
    wells = rng.normal(size=(1, 6, 6)) * 0.3
    wells[:, 2:4] += 1.0
    null = simulate_null(X, np.full(6, 6.0), SPACE, 4000, rng)
    data = dose_means(X, wells, np.ones_like(wells))
    assert activity_p(null, data, hill_misfit(data)).p[0] < 2.1 * anova_p(data)[0]


def test_designs_that_are_tested_together_have_the_p_values_of_each_alone() -> None:
    """Twenty compounds with doses of their own and two with common ones, of which some need the precise null."""
    rng = np.random.default_rng(3)
    counts = np.full(6, 3.0)
    x = np.sort(rng.uniform(-2.0, 1.0, (22, 6)), axis=1)
    x[-1] = x[-2] + 0.25
    wells = rng.normal(size=(22, 6, 3)) + 0.5 * x[:, :, None]
    data = dose_means(x, wells, np.ones_like(wells))
    space = SearchSpace(low=x[:, 0] - 1, high=x[:, -1] + 1)
    misfit = solve(data, HILL, space).misfit

    def draw(n: int) -> NullSimulations:
        few = simulate_wells(counts, n, np.random.default_rng(4))
        return NullSimulations(few=few, draw_many=lambda: simulate_wells(counts, 2 * n, np.random.default_rng(5)))

    simulations, p = draw(500), np.empty(22)
    batches = activity_batches(x, space, 22)
    for batch in batches:
        p[batch.curves] = simulations.test(batch, data.take(batch.curves), misfit[batch.curves])[0].p
    assert sorted(np.concatenate([batch.curves for batch in batches]).tolist()) == list(range(22))
    assert any(batch.members.shape[1] == 2 for batch in batches)
    for i in range(22):
        own = np.array([i])
        (batch,) = activity_batches(x[own], space.take(own), 1)
        alone = simulations.test(batch, data.take(own), misfit[own])[0].p
        assert p[i] == pytest.approx(alone[0], rel=1e-6)
    assert np.sum((p > 0.001) & (p < 0.15)) > 3
