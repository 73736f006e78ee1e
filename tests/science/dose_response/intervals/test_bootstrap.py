"""The bootstrap of dose means: its width, its coverage with few wells, and compounds together as alone."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.intervals.bootstrap import bootstrap_means


def test_bootstrap_interval_has_the_width_of_the_standard_error() -> None:
    """With many wells the 95 % interval of a mean is 1.96 standard errors on each side, within Monte Carlo error."""
    rng = np.random.default_rng(0)
    wells = rng.normal(size=(2, 200))
    (low,), (high,) = bootstrap_means(wells[None], np.ones_like(wells)[None], 4000, 0.95, [rng])
    error = wells.std(axis=1, ddof=1) / np.sqrt(200)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.06)


@pytest.mark.parametrize("wells", [3, 4, 6])
def test_bootstrap_intervals_of_few_wells_hold_the_mean(wells: int) -> None:
    """Nominal 95 %; without the widening three wells would give 79 %. 1,200 means: 93 to 97 is four standard errors."""
    rng = np.random.default_rng(wells)
    samples = rng.normal(size=(1200, wells))
    (low,), (high,) = bootstrap_means(samples[None], np.ones_like(samples)[None], 1000, 0.95, [rng])
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(0.95, abs=0.025)


def test_bootstrap_of_two_wells_is_unknown_and_absent_wells_are_not_drawn() -> None:
    wells = np.array([[1.0, 3.0, 99.0, 99.0], [1.0, 2.0, 3.0, 99.0]])
    present = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
    (low,), (high,) = bootstrap_means(wells[None], present[None], 500, 0.95, [np.random.default_rng(0)])
    assert np.isnan([low[0], high[0]]).all()
    limit = 2.0 * 1.0 * np.sqrt(3 / 2) * 4.303 / 1.96  # both ends are among the wells before they are widened
    assert 2.0 - limit <= low[1] < 2.0 < high[1] <= 2.0 + limit


def test_compounds_together_equal_compounds_alone() -> None:
    rng = np.random.default_rng(4)
    wells, weights = rng.normal(size=(40, 5, 4)), np.ones((40, 5, 4))
    weights[3, 1, 2], weights[7, :, 3] = 0.2, 0.0
    together = bootstrap_means(wells, weights, 200, 0.95, [np.random.default_rng(b) for b in range(40)])
    for b in (0, 3, 7, 39):
        alone = bootstrap_means(wells[[b]], weights[[b]], 200, 0.95, [np.random.default_rng(b)])
        for ends, own in zip(together, alone, strict=True):
            assert ends[b] == pytest.approx(own[0], rel=1e-12, nan_ok=True)
