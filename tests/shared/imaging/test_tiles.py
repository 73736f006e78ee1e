"""The centred grid of tiles."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging import IntensityLimits, Preprocessing, centred_origin, cut_tiles, prepare, tile_origins

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


CELL = Preprocessing(
    limits=IntensityLimits(low=(0.0, 0.0), high=(255.0, 255.0)), size=16, downscale=1, single_cell=True
)


def test_the_image_of_a_single_cell_keeps_its_centre() -> None:
    field = np.random.default_rng(0).integers(0, 256, (2, 21, 16), np.uint8)
    np.testing.assert_array_equal(cut_tiles(field, CELL), field[None, :, 2:18])
    assert centred_origin(21, 16, 16) == (2, 0)
    np.testing.assert_array_equal(cut_tiles(field[:, :16], CELL)[0], field[:, :16])


def test_a_small_image_of_a_single_cell_is_padded_with_the_median_of_its_border() -> None:
    field = np.full((2, 9, 12), 200, np.uint8)
    field[0, [0, -1]] = field[0, :, [0, -1]] = 7
    field[1, [0, -1]] = field[1, :, [0, -1]] = 30
    field[0, 0, 0] = 255  # a bright pixel at the border does not decide
    (tile,) = cut_tiles(field, CELL)
    top, left = centred_origin(9, 12, 16)
    assert (top, left) == (-4, -2)
    np.testing.assert_array_equal(tile[:, 4:13, 2:14], field)
    outside = np.ones((16, 16), bool)
    outside[4:13, 2:14] = False
    assert set(tile[0][outside]) == {7}
    assert set(tile[1][outside]) == {30}


@pytest.mark.parametrize("shape", [(7, 16), (16, 24), (128, 128)])
def test_an_image_of_another_scale_is_no_single_cell(shape: tuple[int, int]) -> None:
    message = rf"the image is {shape[0]}×{shape[1]} after downscaling, and that of a single cell has edges from 8 to 23"
    with pytest.raises(InvalidImage, match=message):
        cut_tiles(np.zeros((2, *shape), np.uint8), CELL)
