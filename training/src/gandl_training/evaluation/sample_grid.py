"""The sample grid: real and generated tiles side by side as one PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gandl_shared.files.atomic import atomic_file
from numpy.typing import NDArray
from PIL import Image

Uint8 = NDArray[np.uint8]

WHITE = ((255, 255, 255),)
GREEN_AND_BLUE = ((0, 255, 0), (60, 110, 255))
SIX_COLOURS = ((0, 0, 255), (0, 255, 0), (255, 60, 0), (255, 0, 255), (0, 255, 255), (255, 255, 0))
GAP = 4
"""The width of the white line between real and generated tiles, in pixels."""


def colour_composite(tiles: Uint8) -> Uint8:
    """Return RGB tiles, [N, C, S, S] → [N, S, S, 3]: each channel has one colour, and the colours are added.

    A single channel stays grey.
    """
    channels = tiles.shape[1]
    palette = {1: WHITE, 2: GREEN_AND_BLUE}.get(channels, SIX_COLOURS)
    colours = np.array([palette[i % len(palette)] for i in range(channels)], np.float32) / 255
    mixed = np.einsum("nchw,cr->nhwr", tiles.astype(np.float32), colours)
    clipped: Uint8 = np.clip(mixed, 0, 255).astype(np.uint8)
    return clipped


def tile_grid(tiles: Uint8, columns: int) -> Uint8:
    """Arrange RGB tiles [N, S, S, 3] as one image with `columns` tiles per row; N must be a multiple of `columns`."""
    n, size = tiles.shape[:2]
    # [row, column, y, x, colour] → [row, y, column, x, colour]: pixels of one line of the picture become neighbours.
    rows = tiles.reshape(n // columns, columns, size, size, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(rows).reshape(n // columns * size, columns * size, 3)


def sample_grid(real: Uint8, generated: Uint8, *, columns: int = 8) -> Uint8:
    """Return a picture [H, W, 3] with real tiles on the left and generated ones on the right, each [N, C, S, S]."""
    left, right = (tile_grid(colour_composite(tiles), columns) for tiles in (real, generated))
    gap = np.full((left.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def save_png(picture: Uint8, path: Path) -> None:
    """Write a picture [H, W, 3] atomically. Raises OSError."""
    with atomic_file(path) as file:
        Image.fromarray(picture).save(file, format="PNG")
