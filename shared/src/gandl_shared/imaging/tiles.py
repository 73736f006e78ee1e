"""Tiles: the centred grid of squares that is cut from a field of view."""

from __future__ import annotations

import numpy as np

from gandl_shared.errors import InvalidImage
from gandl_shared.imaging.fields import Preprocessing, Uint8, prepare_field
from gandl_shared.imaging.greys import Raw


def tile_origins(height: int, width: int, size: int) -> list[tuple[int, int]]:
    """Return the upper left corners of the centred grid of size × size tiles that fit, row by row."""
    # Images are often darker and less sharp at the edge, so the part that does not fit is left out on all sides.
    top, left = height % size // 2, width % size // 2
    return [(top + y * size, left + x * size) for y in range(height // size) for x in range(width // size)]


def prepare(image: Raw, preprocessing: Preprocessing) -> Uint8:
    """Return the tiles [N, C, size, size] of a raw field [C, H, W]. Raises InvalidImage if no tile fits."""
    return cut_tiles(prepare_field(image, preprocessing), preprocessing)


def cut_tiles(field: Uint8, preprocessing: Preprocessing) -> Uint8:
    """Return the tiles [N, C, size, size] of a mapped field [C, H, W]. Raises InvalidImage if no tile fits."""
    size, factor = preprocessing.size, preprocessing.downscale
    origins = tile_origins(field.shape[1], field.shape[2], size)
    if not origins:
        height, width, need = field.shape[1] * factor, field.shape[2] * factor, size * factor
        raise InvalidImage(f"the image is {height}×{width}; the model needs at least {need}×{need}")
    return np.stack([field[:, y : y + size, x : x + size] for y, x in origins])
