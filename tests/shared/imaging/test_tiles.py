"""The centred grid of tiles."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging import IntensityLimits, Preprocessing, cut_tiles, prepare, tile_origins

RNG = np.random.default_rng(0)
FIELD = RNG.integers(0, 60000, (3, 70, 90), dtype=np.uint16)


def test_tiles_are_a_centred_grid() -> None:
    assert tile_origins(70, 90, 32) == [(3, 13), (3, 45), (35, 13), (35, 45)]
    tiles = prepare(
        FIELD, Preprocessing(limits=IntensityLimits(low=(0.0,) * 3, high=(60000.0,) * 3), size=32, downscale=1)
    )
    assert (tiles.shape, tiles.dtype) == ((4, 3, 32, 32), np.uint8)


def test_an_image_smaller_than_a_tile_says_how_large_it_must_be() -> None:
    with pytest.raises(InvalidImage, match="the image is 70×90; the model needs at least 128×128"):
        prepare(FIELD, Preprocessing(limits=IntensityLimits(low=(0.0,) * 3, high=(1.0,) * 3), size=64, downscale=2))


def test_each_tile_is_the_square_at_its_origin() -> None:
    field = np.arange(2 * 6 * 5, dtype=np.uint8).reshape(2, 6, 5)
    limits = IntensityLimits(low=(0.0, 0.0), high=(255.0, 255.0))
    tiles = cut_tiles(field, Preprocessing(limits=limits, size=2, downscale=1))
    origins = tile_origins(6, 5, 2)
    assert len(tiles) == len(origins) == 6
    for tile, (y, x) in zip(tiles, origins, strict=True):
        np.testing.assert_array_equal(tile, field[:, y : y + 2, x : x + 2])
