"""Whitening makes a covariance the identity where nothing is shrunk, and survives constant features."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis.linear.whitening import WHITENINGS, ledoit_wolf, on_negatives, standardised, within_class
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf as sklearn_ledoit_wolf


def correlated(n: int, features: int, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)) @ rng.normal(size=(features, features))


@pytest.mark.parametrize(("n", "features"), [(50, 20), (20, 50), (500, 64), (2, 3)])
def test_shrinkage_is_that_of_scikit_learn(n: int, features: int) -> None:
    x = correlated(n, features)
    x -= x.mean(axis=0)
    expected, _ = sklearn_ledoit_wolf(x, assume_centered=True)
    np.testing.assert_allclose(ledoit_wolf(x), expected, rtol=1e-10)


def test_negatives_become_spherical() -> None:
    """cov = I within 1e-6 under the covariance that was whitened by (after shrinkage, which vanishes with n)."""
    x = correlated(400, 8)
    classes = np.repeat([-1, 1], 200)
    white = on_negatives(x, classes)
    centred = x[:200] - x[:200].mean(axis=0)
    covariance = white.matrix @ ledoit_wolf(centred) @ white.matrix
    np.testing.assert_allclose(covariance, np.eye(8), atol=1e-6)
    np.testing.assert_allclose(white(x[:200]).mean(axis=0), 0, atol=1e-9)


def test_class_means_do_not_count_as_spread() -> None:
    """Moving one class far away must not change the within-class whitening."""
    x, classes = correlated(300, 6), np.repeat([-1, 1], 150)
    moved = x.copy()
    moved[classes > 0] += 1000
    np.testing.assert_allclose(within_class(moved, classes).matrix, within_class(x, classes).matrix, rtol=1e-8)


@pytest.mark.parametrize("name", sorted(WHITENINGS))
def test_constant_features_stay_finite(name: str) -> None:
    x, classes = correlated(60, 5), np.repeat([-1, 1], 30)
    x[:, 2] = 7.0
    assert np.isfinite(WHITENINGS[name](x, classes)(x)).all()
    same = np.full((60, 5), 3.0)
    assert np.isfinite(WHITENINGS[name](same, classes)(same)).all()


def test_standardised_is_a_z_score() -> None:
    x = correlated(100, 4)
    np.testing.assert_allclose(standardised(x, np.ones(100, np.intp))(x), (x - x.mean(0)) / x.std(0), atol=1e-12)
