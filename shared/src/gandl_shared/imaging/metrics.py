"""How good a field of view is, measured on what the model sees: a few numbers a channel, cheap enough for every site.

Figures only. What they mean (empty, saturated, blurred) is decided by the analysis, by thresholds that can be set later
without looking at the images again (`gandl_science.assay.image_qc`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

TOP = 255
"""The value of the mapped field that counts as saturated: the upper intensity limit and all beyond it."""
_BLOCK = 4
_NEAR, _FAR = 1, 3


@dataclass(frozen=True)
class SiteMetrics:
    """Of one field, per channel [C]. `sharpness` is 1 - C(3) / C(1), C the autocovariance at a distance in pixels: it
    falls with blur, and white noise, which has none, counts for nothing. `saturated` is the share of pixels at the
    upper end. `structure` is the spread of 4 x 4 block means over that expected of the pixels' own noise: 1 for an
    empty field. (The usual variance of the Laplacian measures noise in dim images: a blurred field, having less
    contrast, scores higher.)"""

    sharpness: NDArray[np.float32]
    saturated: NDArray[np.float32]
    structure: NDArray[np.float32]


def site_metrics(field: NDArray[np.uint8]) -> SiteMetrics:
    """Figures of a mapped field [C, H, W], at least 8 pixels a side."""
    found = np.array([(_sharpness(c), np.mean(c == TOP), _structure(c)) for c in field], np.float32)
    return SiteMetrics(*found.reshape(len(field), 3).T.copy())


def tile_contrast(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Contrast [N] of tiles [N, C, S, S], in grey levels of 255: the spread of 4 x 4 block means (which leave pixel
    noise out) of the channel where it is largest. A tile without cells has little, whatever its brightness."""
    if not len(tiles):
        return np.empty(0, np.float32)
    n, channels, size, _ = tiles.shape
    edge = size // _BLOCK
    blocks = tiles[:, :, : edge * _BLOCK, : edge * _BLOCK].reshape(n, channels, edge, _BLOCK, edge, _BLOCK)
    sums = blocks.sum(axis=3, dtype=np.uint16).sum(axis=4, dtype=np.uint16).astype(np.float32)
    found: NDArray[np.float32] = sums.std(axis=(2, 3)).max(axis=1) / _BLOCK**2
    return found


def blank_tiles(contrast: NDArray[np.floating], well: NDArray[np.integer], least: float) -> NDArray[np.bool_]:
    """Tiles [N] of less `contrast` [N] than `least`, in wells (numbered by `well` [N]) that have others: a well of
    nothing else keeps them, for that is its answer. NaN (not measured) is no blank tile."""
    blank: NDArray[np.bool_] = contrast < least
    blank &= np.isin(well, well[~blank])
    return blank


def _sharpness(channel: NDArray[np.uint8]) -> float:
    """Sums of products of integers below 2^53 are exact, so their order (threads, BLAS) does not matter."""
    x = channel.astype(np.float64)
    near, far = (_autocovariance(x, lag) for lag in (_NEAR, _FAR))
    return max(1 - far / near, 0.0) if near > 0 else 0.0


def _autocovariance(x: Float, lag: int) -> float:
    """Of pixels [H, W] a distance apart along columns and along rows, the mean of both."""
    mean, flat, width = float(x.mean()), x.ravel(), x.shape[1]
    down = float(np.dot(flat[lag * width :], flat[: -lag * width]))
    # One product over all rows at once, less the pairs in which a row's end meets the next row's beginning.
    across = float(np.dot(flat[lag:], flat[:-lag])) - float((x[1:, :lag] * x[:-1, -lag:]).sum())
    return (_centred(down, x, lag, mean) + _centred(across, x.T, lag, mean)) / 2


def _centred(products: float, x: Float, lag: int, mean: float) -> float:
    """Mean of (a - mean)(b - mean) over the pairs of rows `lag` apart, from the sum of a·b."""
    n = (x.shape[0] - lag) * x.shape[1]
    both = 2 * mean * x.size - float(x[:lag].sum()) - float(x[-lag:].sum())
    return float(products / n - mean * both / n + mean**2)


def _structure(channel: NDArray[np.uint8]) -> float:
    """Spread of block means over the spread they would have if neighbouring pixels were independent. Uneven
    illumination is no structure: a quadratic surface is taken off the block means first."""
    h, w = (n // _BLOCK for n in channel.shape)
    cut = channel[: h * _BLOCK, : w * _BLOCK]
    means = _block_sums(cut, h, w) / _BLOCK**2
    squares = float(np.dot(*[cut.astype(np.float64).ravel()] * 2))
    within = (squares - _BLOCK**2 * float((means**2).sum())) / (h * w * (_BLOCK**2 - 1)) / _BLOCK**2
    between = float(_without_surface(means).var())
    return float(np.sqrt(between / within)) if within > 0 else 0.0


def _block_sums(cut: NDArray[np.uint8], h: int, w: int) -> NDArray[np.uint16]:
    rows = cut.reshape(h, _BLOCK, -1).sum(axis=1, dtype=np.uint16)
    sums: NDArray[np.uint16] = rows.reshape(h, w, _BLOCK).sum(axis=2, dtype=np.uint16)
    return sums


def _without_surface(means: Float) -> Float:
    """Block means [h, w] less their best quadratic in y and x."""
    y, x = (np.linspace(-1, 1, n) for n in means.shape)
    ones_y, ones_x = np.ones_like(y), np.ones_like(x)
    pairs = ((ones_y, ones_x), (y, ones_x), (ones_y, x), (y, x), (y**2, ones_x), (ones_y, x**2))
    terms = np.stack([np.outer(a, b).ravel() for a, b in pairs])
    flat = means.ravel()
    rest: Float = flat - np.linalg.solve(terms @ terms.T, terms @ flat) @ terms
    return rest
