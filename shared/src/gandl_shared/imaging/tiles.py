"""Tiles: the centred grid of squares that is cut from a field of view."""

from __future__ import annotations

import numpy as np

from gandl_shared.errors import InvalidImage
from gandl_shared.imaging.fields import Preprocessing, Uint8, prepare_field
from gandl_shared.imaging.greys import Raw

MIN_EDGE_SHARE, MAX_EDGE_SHARE = 0.5, 1.5
"""The edges of the image of a single cell, as shares of the edge of a tile. A smaller image would be mostly padding,
and a larger one would lose more than half of its pixels."""


def tile_origins(height: int, width: int, size: int) -> list[tuple[int, int]]:
    """Return the upper left corners of the centred grid of size × size tiles that fit, row by row."""
    # Images are often darker and less sharp at the edge, so the part that does not fit is left out on all sides.
    top, left = height % size // 2, width % size // 2
    return [(top + y * size, left + x * size) for y in range(height // size) for x in range(width // size)]


def centred_origin(height: int, width: int, size: int) -> tuple[int, int]:
    """Return the upper left corner of the tile with the centre of an image; it is negative where the tile is larger."""
    return (height - size) // 2, (width - size) // 2


def prepare(image: Raw, preprocessing: Preprocessing) -> Uint8:
    """Return the tiles [N, C, size, size] of a raw field [C, H, W]. Raises InvalidImage if no tile fits."""
    return cut_tiles(prepare_field(image, preprocessing), preprocessing)


def cut_tiles(field: Uint8, preprocessing: Preprocessing) -> Uint8:
    """Return the tiles [N, C, size, size] of a mapped field [C, H, W]. Raises InvalidImage if no tile fits."""
    if preprocessing.single_cell:
        return centred_tile(field, preprocessing.size)[None]
    size, factor = preprocessing.size, preprocessing.downscale
    origins = tile_origins(field.shape[1], field.shape[2], size)
    if not origins:
        height, width, need = field.shape[1] * factor, field.shape[2] * factor, size * factor
        raise InvalidImage(f"the image is {height}×{width}; the model needs at least {need}×{need}")
    return np.stack([field[:, y : y + size, x : x + size] for y, x in origins])


def centred_tile(field: Uint8, size: int) -> Uint8:
    """Return the mapped image of a single cell [C, H, W] as one tile [C, size, size] with the same centre.

    A larger image loses its margins. A smaller one is padded with the median of its border, for each channel, because
    black would draw an edge where there is none. Raises InvalidImage where an edge is below half the tile, or at least
    one and a half times as long.
    """
    height, width = field.shape[1:]
    smallest, largest = int(MIN_EDGE_SHARE * size), int(MAX_EDGE_SHARE * size) - 1
    if min(height, width) < smallest or max(height, width) > largest:
        raise InvalidImage(
            f"the image is {height}×{width} after downscaling, and that of a single cell has edges from {smallest} to "
            f"{largest} pixels for a tile of {size}; choose another tile size or downscaling, or cut out the cells anew"
        )
    if (height, width) == (size, size):
        return field
    top, left = centred_origin(height, width, size)
    tile = np.empty((len(field), size, size), np.uint8)
    tile[:] = _border_median(field)[:, None, None]
    y, x = max(-top, 0), max(-left, 0)
    middle = field[:, max(top, 0) : max(top, 0) + size, max(left, 0) : max(left, 0) + size]
    tile[:, y : y + middle.shape[1], x : x + middle.shape[2]] = middle
    return tile


def _border_median(field: Uint8) -> Uint8:
    """Return the median grey [C] of the outermost pixels of each channel."""
    rows, columns = field[:, [0, -1]], field[:, 1:-1, [0, -1]]
    border = np.concatenate([rows.reshape(len(field), -1), columns.reshape(len(field), -1)], axis=1)
    median: Uint8 = np.rint(np.median(border, axis=1)).astype(np.uint8)
    return median
