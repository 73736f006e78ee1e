"""Weights: constants that make the scale consistent, hardly any loss on clean data, gross outliers nearly out."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.models import SearchSpace, log_dose
from gandl_science.dose_response.noise.outliers import CONSISTENCY, LIMIT, outlier_weights

SPACE = SearchSpace(low=-3.0, high=2.0)
X = log_dose(np.geomspace(0.01, 10.0, 6))


@pytest.mark.parametrize("wells", range(3, 13))
def test_consistency_factors(wells: int) -> None:
    y = np.random.default_rng(wells).normal(size=(60_000, wells))
    factor = 1.0 / np.median(np.abs(y - np.median(y, axis=1, keepdims=True)))
    assert CONSISTENCY[wells] == pytest.approx(factor, rel=0.02)


@pytest.mark.parametrize(("replicates", "limit"), [(6, 0.03), (4, 0.06), (3, 0.12)])
def test_clean_curves_keep_their_weights(replicates: int, limit: float) -> None:
    """Share of curves with any well downweighted; with few wells the scale itself is uncertain."""
    wells = np.random.default_rng(0).normal(size=(2000, 6, replicates))
    weights = outlier_weights(X, wells, np.ones_like(wells), SPACE)
    assert np.mean((weights < 1).any(axis=(1, 2))) < limit
    assert weights.mean() > 0.995


def test_weight_is_the_squared_ratio_beyond_the_limit() -> None:
    wells = np.random.default_rng(1).normal(size=(1, 6, 6))
    far = wells.copy()
    far[0, 2, 1] = 1000.0
    weights = outlier_weights(X, far, np.ones_like(far), SPACE)
    assert 0.0 < weights[0, 2, 1] < (2 * LIMIT / 1000.0) ** 2
    assert np.delete(weights.ravel(), 13).min() > 0.5


def test_equal_replicates_have_no_scale_and_absent_wells_no_weight() -> None:
    wells = np.ones((1, 6, 4))
    wells[0, 0, 0] = 5.0
    present = np.ones_like(wells)
    present[0, 5, 3] = 0.0
    weights = outlier_weights(X, wells, present, SPACE)
    assert np.array_equal(weights, present)


def test_too_few_wells_keep_their_weight() -> None:
    wells = np.zeros((1, 6, 1))
    wells[0, 3] = 50.0
    assert np.all(outlier_weights(X, wells, np.ones_like(wells), SPACE) == 1.0)
