"""Contact sheets: real and generated tiles side by side as one PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_COLOURS = ((0, 0, 255), (0, 255, 0), (255, 60, 0), (255, 0, 255), (0, 255, 255), (255, 255, 0))
_TWO = ((0, 255, 0), (60, 110, 255))
GAP = 4


def coloured(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[N, C, S, S] → [N, S, S, 3]: one colour a channel, added; a single channel stays grey."""
    channels = tiles.shape[1]
    palette = ((255, 255, 255),) if channels == 1 else _TWO if channels == 2 else _COLOURS
    colours = np.array([palette[i % len(palette)] for i in range(channels)], np.float32) / 255
    mixed = np.einsum("nchw,cr->nhwr", tiles.astype(np.float32), colours)
    clipped: NDArray[np.uint8] = np.clip(mixed, 0, 255).astype(np.uint8)
    return clipped


def grid(tiles: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """[N, S, S, 3] → one image of `columns` tiles a row; N must be a multiple."""
    n, size = tiles.shape[:2]
    rows = tiles.reshape(n // columns, columns, size, size, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(rows).reshape(n // columns * size, columns * size, 3)


def sheet(real: NDArray[np.uint8], generated: NDArray[np.uint8], *, columns: int = 8) -> NDArray[np.uint8]:
    """Real tiles on the left, generated ones on the right; [N, C, S, S] uint8 each → [H, W, 3]."""
    left, right = grid(coloured(real), columns), grid(coloured(generated), columns)
    gap = np.full((left.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def save_png(picture: NDArray[np.uint8], path: Path) -> None:
    """Write [H, W, 3] atomically."""
    temporary = path.with_suffix(".tmp")
    Image.fromarray(picture).save(temporary, format="PNG")
    temporary.replace(path)
