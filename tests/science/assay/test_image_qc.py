"""Image QC tells blur, saturation and empty fields from good ones; intensity features are what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from gandl_science.assay.image_qc import ImageLimits, focus_judged, site_flags
from gandl_science.assay.intensity import intensity_statistics, names
from gandl_shared.imaging.metrics import site_figures
from gandl_shared.schemas.analysis import ImageQcParameters
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

DEFAULT = ImageLimits(**ImageQcParameters().model_dump(exclude={"exclude", "blank"}))


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


def figures(fields: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float32], ...]:
    found = [site_figures(f) for f in fields]
    return tuple(np.stack([getattr(f, name) for f in found]) for name in ("sharpness", "saturated", "structure"))


def flags(fields: Sequence[NDArray[np.uint8]], limits: ImageLimits = DEFAULT) -> tuple[tuple[str, ...], ...]:
    return site_flags(*figures(fields), limits)


def spoilt(share: float) -> NDArray[np.uint8]:
    """A good field with a share of channel 2 at the top."""
    image = field(60)
    image[1, : round(96 * share)] = 255
    return image


def test_good_fields_have_no_flag() -> None:
    assert flags([field(i) for i in range(20)]) == ((),) * 20


def test_bad_fields_are_told_apart() -> None:
    good = [field(i) for i in range(12)]
    dark, white = (np.full((2, 96, 96), level, np.uint8) for level in (9, 255))
    found = flags([*good, field(50, blur=4), field(51, cells=False), spoilt(0.2), spoilt(0.7), dark, white])
    assert found[:12] == ((),) * 12
    assert found[12:14] == (("blurred",), ("empty",))
    assert "saturated" in found[14] and "overexposed" in found[15] and "saturated" not in found[15]
    assert found[16:] == (("empty",), ("overexposed",))


def test_one_channel_with_cells_is_enough_not_to_be_empty() -> None:
    image = field(1)
    image[0] = field(2, cells=False)[0]
    assert flags([field(i) for i in range(10)] + [image])[-1] == ()


def test_limits_can_be_set_and_few_sites_are_not_judged_for_focus() -> None:
    fields = [field(i) for i in range(6)] + [field(50, blur=4)]
    assert flags(fields)[-1] == ()
    assert not focus_judged(figures(fields)[2], DEFAULT)
    assert flags([*fields, field(7)])[6] == ("blurred",)
    assert focus_judged(figures([*fields, field(7)])[2], DEFAULT)
    assert flags([*fields, field(7)], replace(DEFAULT, focus=1e6))[6] == ()
    assert set(flags(fields, replace(DEFAULT, structure=1e6))) == {("empty",)}
    assert flags([spoilt(0.2)], replace(DEFAULT, saturation=0.5)) == ((),)


def test_a_channel_that_is_dark_almost_everywhere_does_not_decide_on_focus() -> None:
    """Such as a virus stain in a plate of uninfected wells: noise has no focus."""
    fields = [field(i) for i in range(12)]
    for f in fields[1:]:
        f[1] = field(99, cells=False)[1]
    assert flags(fields) == ((),) * 12


def test_no_sites_no_flags() -> None:
    none = np.empty((0, 2), np.float32)
    assert site_flags(none, none, none, DEFAULT) == ()


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
