"""Means by group and projections equal those of the whole arrays, whatever the size of the chunks."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science import arrays
from gandl_science.arrays import group_means, projections


def test_means_by_group_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values, group = rng.normal(size=(100, 3)).astype(np.float32), rng.integers(0, 5, 100)
    monkeypatch.setattr(arrays, "_CHUNK", 7)
    means = group_means(values, group, 7)
    for g in range(5):
        np.testing.assert_allclose(means[g], values[group == g].astype(np.float64).mean(axis=0))
    assert np.isnan(means[5:]).all()


def test_projections_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(50, 4)), rng.normal(size=(3, 4)), rng.normal(size=3)
    whole = projections(x, w, b)
    monkeypatch.setattr(arrays, "_CHUNK", 8)
    np.testing.assert_allclose(projections(x, w, b), whole, rtol=1e-12)
    np.testing.assert_allclose(whole, x @ w.T + b)
