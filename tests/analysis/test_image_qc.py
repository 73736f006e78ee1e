"""Image QC tells blur, saturation and empty fields from good ones; intensity features are what they are called."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.stats.image_qc import ImageLimits, site_figures, site_flags
from gandl_analysis.stats.intensity import intensity_statistics, names
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter


def field(seed: int, blur: float = 0.0, cells: bool = True) -> NDArray[np.uint8]:
    """Two channels of spots on a noisy, unevenly lit background."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :96] / 96
    image = np.zeros((2, 96, 96))
    if cells:
        image[:, rng.integers(4, 92, 60), rng.integers(4, 92, 60)] = 3000
        image = gaussian_filter(image, (0, 2 + blur, 2 + blur))
    image += 20 + 15 * x + 10 * y**2
    return np.clip(image + rng.normal(size=image.shape) * 2, 0, 255).astype(np.uint8)


def test_good_fields_have_no_flag() -> None:
    assert site_flags([site_figures(field(i)) for i in range(20)]) == [()] * 20


def test_bad_fields_are_told_apart() -> None:
    good = [field(i) for i in range(12)]
    saturated = good[0].copy()
    saturated[1, :40, :40] = 255
    fields = [*good, field(50, blur=4), field(51, cells=False), saturated, np.full((2, 96, 96), 9, np.uint8)]
    flags = site_flags([site_figures(f) for f in fields])
    assert flags[:12] == [()] * 12
    assert flags[12] == ("blurred",)
    assert flags[13] == ("empty",)
    assert "saturated" in flags[14]
    assert flags[15] == ("empty",)


def test_limits_can_be_set_and_few_sites_are_not_judged_for_focus() -> None:
    figures = [site_figures(field(i)) for i in range(5)] + [site_figures(field(50, blur=4))]
    assert site_flags(figures)[-1] == ()
    assert site_flags(figures, ImageLimits(structure=1e6))[0] == ("empty",)


def test_intensity_features_are_what_their_names_say() -> None:
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 256, (5, 3, 16, 16)).astype(np.uint8)
    tiles[0, 2] = 40
    features = intensity_statistics(tiles)
    by_name = dict(zip(names(3), features.T, strict=True))
    assert features.shape == (5, 33) and features.dtype == np.float32
    np.testing.assert_allclose(by_name["mean_1"], tiles[:, 1].mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(by_name["p50_0"], np.median(tiles[:, 0], axis=(1, 2)), rtol=1e-5)
    expected = np.corrcoef(tiles[1, 0].ravel(), tiles[1, 2].ravel())[0, 1]
    assert by_name["correlation_0_2"][1] == pytest.approx(expected, abs=1e-5)
    assert by_name["correlation_0_2"][0] == 0
    assert by_name["gradient_2"][0] == 0
    assert np.array_equal(features[2:3], intensity_statistics(tiles[2:3]))


def test_no_tiles_no_rows() -> None:
    assert intensity_statistics(np.empty((0, 2, 8, 8), np.uint8)).shape == (0, 21)
