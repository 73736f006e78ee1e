"""A raw field becomes the uint8 field of the model: block means, then limits."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging import IntensityLimits, Preprocessing, downscaled, prepare, shrunk, to_uint8

RNG = np.random.default_rng(0)
FIELD = RNG.integers(0, 60000, (3, 70, 90), dtype=np.uint16)


def test_downscaling_is_the_block_mean() -> None:
    image = np.arange(32, dtype=np.uint16).reshape(1, 4, 8)
    np.testing.assert_array_equal(downscaled(image, 2)[0], [[4.5, 6.5, 8.5, 10.5], [20.5, 22.5, 24.5, 26.5]])
    assert downscaled(image[:, :3, :7], 2).shape == (1, 1, 3)


def test_limits_map_to_0_and_255() -> None:
    image = np.array([[[90, 100, 150, 200, 300]]], np.float32)
    np.testing.assert_array_equal(
        to_uint8(image, IntensityLimits(low=(100.0,), high=(200.0,)))[0, 0], [0, 0, 128, 255, 255]
    )


def test_the_same_image_at_another_gain_gives_the_same_tiles() -> None:
    field = FIELD // 4
    first = Preprocessing(limits=IntensityLimits(low=(0.0,) * 3, high=(15000.0,) * 3), size=32, downscale=2)
    brighter = Preprocessing(limits=IntensityLimits(low=(100.0,) * 3, high=(30100.0,) * 3), size=32, downscale=2)
    np.testing.assert_array_equal(prepare(field, first), prepare(field * 2 + 100, brighter))


def test_limits_of_another_number_of_channels_are_refused() -> None:
    with pytest.raises(InvalidImage, match="the image has 3 channels, the model takes 1"):
        to_uint8(FIELD.astype(np.float32), IntensityLimits(low=(0.0,), high=(1.0,)))


def test_preprocessing_has_an_identity() -> None:
    one = Preprocessing(limits=IntensityLimits(low=(0.0,), high=(1.0,)), size=64, downscale=2)
    assert one.key == Preprocessing(limits=IntensityLimits(low=(0.0,), high=(1.0,)), size=64, downscale=2).key
    assert one.key != Preprocessing(limits=IntensityLimits(low=(0.0,), high=(1.5,)), size=64, downscale=2).key


def test_the_identity_is_the_hash_of_the_canonical_json() -> None:
    """Keys of stored vectors contain it, so it must not change between versions."""
    preprocessing = Preprocessing(limits=IntensityLimits(low=(0.0, 1.5), high=(255.0, 200.25)), size=64, downscale=2)
    text = '{"downscale": 2, "limits": {"high": [255.0, 200.25], "low": [0.0, 1.5]}, "size": 64}'
    assert preprocessing.key == hashlib.sha256(text.encode()).hexdigest()


def test_the_tile_of_a_single_cell_has_an_identity_of_its_own() -> None:
    grid = Preprocessing(limits=IntensityLimits(low=(0.0,), high=(1.0,)), size=64, downscale=1)
    assert replace(grid, single_cell=True).key != grid.key


def test_a_small_picture_has_the_means_of_the_areas_that_its_pixels_cover() -> None:
    field = np.arange(2 * 8 * 16, dtype=np.uint8).reshape(2, 8, 16)
    small = shrunk(field, 8)
    assert small.shape == (2, 4, 8)
    means = field.reshape(2, 4, 2, 8, 2).mean(axis=(2, 4))
    assert np.abs(small - means).max() <= 0.5
    np.testing.assert_array_equal(shrunk(field, 16), field)
    assert shrunk(np.full((1, 3, 1000), 9, np.uint8), 100).tolist() == [[[9] * 100]]


@pytest.mark.parametrize("factor", [1, 2, 3, 16, 17])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_means_and_levels_are_those_of_the_formula_bit_for_bit(dtype: str, factor: int) -> None:
    rng = np.random.default_rng(factor)
    image = rng.integers(0, 256 if dtype == "uint8" else 65536, (2, 101, 97)).astype(dtype)
    if dtype == "float32":
        image /= np.float32(7)
    height, width = 101 // factor, 97 // factor
    blocks = image[:, : height * factor, : width * factor].reshape(2, height, factor, width, factor)
    means = blocks.mean(axis=(2, 4), dtype=np.float32) if factor > 1 else image.astype(np.float32)
    np.testing.assert_array_equal(downscaled(image, factor), means)
    limits = IntensityLimits(low=(3.7, 100.1), high=(200.3, 60000.9))
    low, high = (np.asarray(each, np.float32)[:, None, None] for each in (limits.low, limits.high))
    expected = np.clip(np.rint((means - low) * (np.float32(255) / (high - low))), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(to_uint8(means, limits), expected)
