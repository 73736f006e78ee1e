"""Principal components of the pixels of tiles: a baseline that learns from the images, but only linearly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

COMPONENTS = 64
MAX_PIXELS = 2**26
"""At most so many pixel values are fitted, which are 256 MB as float32."""


@dataclass(frozen=True, kw_only=True)
class PixelComponents:
    """The mean pixel values [P] and the components [K, P] of tiles with P = C · S · S values."""

    mean: NDArray[np.float32]
    components: NDArray[np.float32]

    @property
    def width(self) -> int:
        """The number of features K."""
        return len(self.components)

    def vectors(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the coordinates [N, K] of tiles [N, C, S, S], in units of the full range of a pixel."""
        # The product of one row must not depend on the other rows, as it may in one large matrix product.
        rows = [(_flat(tile[None]) - self.mean) @ self.components.T for tile in tiles]
        return np.concatenate(rows) if rows else np.empty((0, self.width), np.float32)


def fit_components(tiles: NDArray[np.uint8]) -> PixelComponents:
    """Fit at most 64 components to tiles [N, C, S, S], always with the same result for the same tiles.

    There are at most N - 1 components. Raises ValueError for fewer than two tiles.
    """
    if len(tiles) < 2:
        raise ValueError(f"principal components need at least two tiles, and there are {len(tiles)}")
    count = min(COMPONENTS, len(tiles) - 1, tiles[0].size)
    fitted = PCA(count, svd_solver="randomized", random_state=0).fit(_flat(tiles))
    return PixelComponents(
        mean=fitted.mean_.astype(np.float32), components=np.ascontiguousarray(fitted.components_, np.float32)
    )


def max_tiles(values_per_tile: int) -> int:
    """Return how many tiles of C · S · S values are fitted at most."""
    return max(2, MAX_PIXELS // values_per_tile)


def _flat(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    return tiles.reshape(len(tiles), -1).astype(np.float32) / np.float32(255)
