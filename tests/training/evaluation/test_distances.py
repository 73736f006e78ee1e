"""Distances against closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_training.evaluation.distances import frechet_distance, kernel_distance, tile_features


def exactly(mean: np.ndarray, stddev: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows whose sample mean and (diagonal) covariance are exactly these."""
    rows = rng.normal(size=(200, len(mean)))
    rows -= rows.mean(0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return rows * stddev + mean


def test_frechet_distance_between_gaussians() -> None:
    rng = np.random.default_rng(0)
    a = exactly(np.zeros(3), np.array([1.0, 2.0, 3.0]), rng)
    b = exactly(np.array([1.0, 0.0, -2.0]), np.array([2.0, 2.0, 1.0]), rng)
    assert frechet_distance(a, b) == pytest.approx(5 + 1 + 0 + 4, rel=1e-6)  # ‖Δμ‖² + Σ(σ_a − σ_b)²
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_against_sums_over_pairs() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(5, 4)), rng.normal(size=(6, 4)) + 1

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 4 + 1) ** 3)

    within_a = np.mean([k(a[i], a[j]) for i in range(5) for j in range(5) if i != j])
    within_b = np.mean([k(b[i], b[j]) for i in range(6) for j in range(6) if i != j])
    between = np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(within_a + within_b - 2 * between)


def test_random_features_are_fixed_and_see_texture() -> None:
    rng = np.random.default_rng(2)
    smooth = np.full((64, 3, 32, 32), 128, np.uint8)
    rough = rng.integers(64, 193, (128, 3, 32, 32)).astype(np.uint8)
    features = tile_features(rough)
    assert features.shape == (128, 256)
    assert np.array_equal(features, tile_features(rough))
    assert kernel_distance(features[:64], tile_features(smooth)) > 10 * abs(
        kernel_distance(features[:64], features[64:])
    )
