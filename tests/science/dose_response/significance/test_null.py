"""The p-value of a share: the tail is that of simulation, and it has no floor."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.models import SearchSpace, log_dose
from gandl_science.dose_response.significance.null import share_p, simulate_null

SPACE = SearchSpace(low=-3.0, high=2.0)
X = log_dose(np.geomspace(0.01, 10.0, 6))


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
