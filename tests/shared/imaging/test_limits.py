"""Intensity limits of a plate, from a sample of its sites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging import evenly_spread, limits_of_sites, sampled_limits

RNG = np.random.default_rng(0)
FIELD = RNG.integers(0, 60000, (3, 70, 90), dtype=np.uint16)


def test_sampled_limits_are_percentiles_and_never_of_no_width(tmp_path: Path) -> None:
    image = np.stack([FIELD[0], np.full_like(FIELD[0], 7)])
    tifffile.imwrite(tmp_path / "a.tif", image, metadata={"axes": "CYX"}, photometric="minisblack")
    limits = sampled_limits([[tmp_path / "a.tif"]], downscale=1)
    np.testing.assert_allclose(limits.low[0], np.percentile(FIELD[0], 0.1))
    np.testing.assert_allclose(limits.high[0], np.percentile(FIELD[0], 99.9))
    assert (limits.low[1], limits.high[1]) == (7.0, 8.0)


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
