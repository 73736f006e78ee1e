"""Anchors put controls at -1 and +1; means and projections are those of the whole arrays."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis import anchors as efficacy
from gandl_science.axis.anchors import Anchors, control_anchors, group_means, projections


def test_controls_are_minus_one_and_plus_one() -> None:
    on, labels = np.array([2.0, 4.0, 7.0, 9.0, 5.5, np.nan]), np.array([-1, -1, 1, 1, 0, 1])
    anchors = control_anchors(on, labels)
    assert anchors == Anchors(3.0, 8.0)
    np.testing.assert_allclose(anchors.efficacy(on)[:5], [-1.4, -0.6, 0.6, 1.4, 0.0])


def test_controls_that_are_not_separated_give_no_efficacy() -> None:
    assert np.isnan(Anchors(1.0, 1.0).efficacy(np.array([0.0, 1.0]))).all()
    assert np.isnan(Anchors(2.0, 1.0).efficacy(np.array([0.0, 1.0]))).all()


def test_means_by_group_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values, group = rng.normal(size=(100, 3)).astype(np.float32), rng.integers(0, 5, 100)
    monkeypatch.setattr(efficacy, "_CHUNK", 7)
    means = group_means(values, group, 7)
    for g in range(5):
        np.testing.assert_allclose(means[g], values[group == g].astype(np.float64).mean(axis=0))
    assert np.isnan(means[5:]).all()


def test_projections_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(50, 4)), rng.normal(size=(3, 4)), rng.normal(size=3)
    whole = projections(x, w, b)
    monkeypatch.setattr(efficacy, "_CHUNK", 8)
    np.testing.assert_allclose(projections(x, w, b), whole, rtol=1e-12)
    np.testing.assert_allclose(whole, x @ w.T + b)
