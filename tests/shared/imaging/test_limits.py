"""Intensity limits of a plate, from a sample of its sites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging import (
    Preprocessing,
    evenly_spread,
    limits_of_sites,
    prepare_field,
    read_site,
    sample_pixels,
    sampled_limits,
)
from numpy.typing import NDArray

RNG = np.random.default_rng(0)
FIELD = RNG.integers(0, 60000, (3, 70, 90), dtype=np.uint16)


def test_sampled_limits_are_percentiles_and_never_of_no_width(tmp_path: Path) -> None:
    image = np.stack([FIELD[0], np.full_like(FIELD[0], 7)])
    tifffile.imwrite(tmp_path / "a.tif", image, metadata={"axes": "CYX"}, photometric="minisblack")
    limits = sampled_limits([[tmp_path / "a.tif"]], downscale=1)
    np.testing.assert_allclose(limits.low[0], np.percentile(FIELD[0], 0.1))
    np.testing.assert_allclose(limits.high[0], np.percentile(FIELD[0], 99.9))
    assert (limits.low[1], limits.high[1]) == (7.0, 14.0)


@pytest.mark.parametrize("factor", [1e-6, 1 / 65535, 5 / 65535, 0.3, 1.0, 1e6])
def test_the_same_pixels_in_any_unit_give_the_same_uint8_field(tmp_path: Path, factor: float) -> None:
    """Counts, fractions of the full range, and counts after division by an illumination image are one image."""
    counts = RNG.poisson(40, (2, 64, 64)).astype(np.uint16)
    counts[1] = 0
    counts[1, 5, 5:7] = (200, 400)  # less than a thousandth of the pixels holds the signal of this channel
    expected = _prepared(tmp_path / "counts.tif", counts)
    scaled = _prepared(tmp_path / "scaled.tif", (counts * factor).astype(np.float32))
    assert np.abs(scaled.astype(int) - expected).max() <= 1
    assert expected[1, 5, 5:7].tolist() == [128, 255]


def test_negative_and_offset_floats_keep_their_contrast(tmp_path: Path) -> None:
    """Background subtraction makes values negative, and an offset must not count as a width."""
    counts = RNG.poisson(40, (1, 64, 64)).astype(np.float32)
    expected = _prepared(tmp_path / "counts.tif", counts)
    for name, shift in (("negative.tif", -5000), ("offset.tif", 5000)):
        assert np.abs(_prepared(tmp_path / name, counts + shift).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("value", "high"), [(0.0, 1.0), (0.25, 0.5), (-3.0, 0.0), (100.0, 200.0)])
def test_a_constant_channel_is_black_in_any_unit(tmp_path: Path, value: float, high: float) -> None:
    image = np.full((1, 16, 16), value, np.float32)
    tifffile.imwrite(tmp_path / "a.tif", image)
    limits = sampled_limits([[tmp_path / "a.tif"]], downscale=1)
    assert (limits.low, limits.high) == ((value,), (high,))
    assert not _prepared(tmp_path / "b.tif", image).any()


def test_three_grey_levels_become_black_grey_and_white(tmp_path: Path) -> None:
    image = np.arange(3, dtype=np.uint8).repeat(100).reshape(1, 15, 20)
    assert np.unique(_prepared(tmp_path / "a.tif", image)).tolist() == [0, 128, 255]


def test_a_hot_pixel_decides_nothing(tmp_path: Path) -> None:
    image = RNG.random((1, 100, 100), np.float32)
    image[0, 0, 0] = 1e7
    assert _prepared(tmp_path / "a.tif", image).std() > 60


def _prepared(path: Path, image: NDArray[np.generic]) -> NDArray[np.uint8]:
    tifffile.imwrite(path, image, metadata={"axes": "CYX"}, photometric="minisblack")
    limits = sampled_limits([[path]], downscale=1)
    return prepare_field(read_site([path]), Preprocessing(limits=limits, size=16, downscale=1))


def test_limits_of_one_bit_depth_are_not_taken_for_another(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.uint8))
    tifffile.imwrite(tmp_path / "b.tif", np.full((8, 8), 900, np.uint16))
    with pytest.raises(
        InvalidImage, match=r"b\.tif is uint16 but a\.tif of the same plate is uint8; give images of one"
    ):
        sampled_limits([[tmp_path / "a.tif"], [tmp_path / "b.tif"]], downscale=1)


def test_a_plate_without_images_has_no_limits() -> None:
    with pytest.raises(InvalidImage, match="no images"):
        limits_of_sites([], downscale=1)


def test_sites_of_different_channels_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.uint8))
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((2, 8, 8), np.uint8), metadata={"axes": "CYX"})
    with pytest.raises(InvalidImage, match=r"different numbers of channels: \[1, 2\]"):
        limits_of_sites([[tmp_path / "a.tif"], [tmp_path / "b.tif"]], downscale=1)


@pytest.mark.parametrize(
    ("count", "sample"),
    [(1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9]), (10, list(range(10))), (99, list(range(10)))],
)
def test_a_sample_is_spread_evenly_from_the_first_to_the_last(count: int, sample: list[int]) -> None:
    assert evenly_spread(range(10), count) == sample


def test_a_sample_of_a_sample_of_the_same_size_is_itself() -> None:
    for n in range(1, 200):
        sample = evenly_spread(range(n), 32)
        assert len(sample) == min(n, 32)
        assert evenly_spread(sample, 32) == sample


def test_large_images_are_thinned_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).integers(100, 4000, (2, 60, 60)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="minisblack")
    whole = sample_pixels([[tmp_path / "a.tif"]], downscale=1)
    monkeypatch.setattr("gandl_shared.imaging.limits.MAX_SAMPLED_VALUES", 1000)
    thin = sample_pixels([[tmp_path / "a.tif"]], downscale=1)
    assert whole.pixels.shape == (2, 3600)
    assert thin.pixels.shape == (2, 450)
    np.testing.assert_array_equal(thin.pixels, whole.pixels[:, ::8])
