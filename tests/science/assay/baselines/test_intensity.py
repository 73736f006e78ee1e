"""Intensity features are what their names say."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.baselines.intensity import feature_names, intensity_statistics


def test_intensity_features_are_what_their_names_say() -> None:
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 256, (5, 3, 16, 16)).astype(np.uint8)
    tiles[0, 2] = 40
    features = intensity_statistics(tiles)
    by_name = dict(zip(feature_names(3), features.T, strict=True))
    assert features.shape == (5, 33) and features.dtype == np.float32
    np.testing.assert_allclose(by_name["mean_1"], tiles[:, 1].mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(by_name["p50_0"], np.median(tiles[:, 0], axis=(1, 2)), rtol=1e-5)
    expected = np.corrcoef(tiles[1, 0].ravel(), tiles[1, 2].ravel())[0, 1]
    assert by_name["correlation_0_2"][1] == pytest.approx(expected, abs=1e-5)
    assert by_name["correlation_0_2"][0] == 0
    assert by_name["gradient_2"][0] == 0
    assert np.array_equal(features[2:3], intensity_statistics(tiles[2:3]))


def test_without_tiles_there_are_no_rows() -> None:
    assert intensity_statistics(np.empty((0, 2, 8, 8), np.uint8)).shape == (0, 21)
