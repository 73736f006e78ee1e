"""Plain intensity statistics of tiles: the baseline that a trained featurizer must exceed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_CHUNK = 1024  # tiles that are converted to float32 at a time


def intensity_statistics(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the features [N, K] of tiles [N, C, S, S].

    Per channel they are the mean, the standard deviation, percentiles 1 to 99 and the gradient energy (mean squared
    difference of neighbouring pixels); per pair of channels the correlation. K = C (3 + 7) + C (C - 1) / 2. The
    correlation with a channel without contrast is 0. The features of a tile depend on no other tile.
    """
    parts = [_statistics(tiles[i : i + _CHUNK]) for i in range(0, len(tiles), _CHUNK)]
    if not parts:
        return np.empty((0, len(feature_names(tiles.shape[1]))), np.float32)
    return np.concatenate(parts)


def feature_names(channels: int) -> tuple[str, ...]:
    """Return the names of the features, in the order of `intensity_statistics`."""
    each = ("mean", "sd", *(f"p{p:02d}" for p in PERCENTILES), "gradient")
    single = [f"{name}_{c}" for name in each for c in range(channels)]
    return (*single, *(f"correlation_{a}_{b}" for a in range(channels) for b in range(a + 1, channels)))


def _statistics(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    n, channels = tiles.shape[:2]
    x = tiles.astype(np.float32)
    flat = x.reshape(n, channels, -1)
    mean, sd = flat.mean(axis=2), flat.std(axis=2)
    percentiles = np.percentile(flat, PERCENTILES, axis=2).astype(np.float32)
    gradient = sum((np.diff(x, axis=axis) ** 2).mean(axis=(2, 3)) for axis in (2, 3))
    scaled = (flat - mean[:, :, None]) / np.where(sd > 0, sd, 1)[:, :, None]
    correlation = np.einsum("nap,nbp->nab", scaled, scaled) / flat.shape[2]
    above = np.triu_indices(channels, 1)
    return np.hstack([mean, sd, *percentiles, gradient, correlation[:, above[0], above[1]]]).astype(np.float32)
