"""Image quality metrics of a field of view, measured on the field as the model sees it: a few numbers per channel.

The analysis decides by thresholds which fields and channels cannot be used (`gandl_science.assay.image_qc`), so the
thresholds can change without reading the images again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandl_shared.imaging.greys import Raw

Float = NDArray[np.float64]

SATURATED = 255
"""The value of saturated pixels of a mapped field: raw intensities at the upper limit and above it."""
_BLOCK = 4  # pixels per side: smaller than a cell, large enough to average noise out
_NEAR, _FAR = 1, 3  # distances in pixels
_SIMILARITY_ROWS = 64


@dataclass(frozen=True, kw_only=True)
class SiteMetrics:
    """Metrics of one field, one number per channel [C].

    `sharpness` is 1 - C(3) / C(1), where C is the autocovariance at a distance in pixels. It falls with blur; white
    noise has no autocovariance and does not change it. `saturated` is the share of pixels at the upper limit.
    `structure` is the spread of the means of 4 x 4 blocks over the spread that pixel noise alone would give: it is 1
    for an empty field. `stripes` is the root mean square, over pairs of neighbouring rows or columns, of the share of
    pixels that rise minus the share that fall: noise and cells do both, a stripe does one. `similarity` is the largest
    correlation of the differences between neighbouring pixels with those of another channel: bleed-through is shared,
    but noise is not, so that only a copy reaches 1.

    The more common variance of the Laplacian is not used, because it measures noise in dim images: a blurred field has
    less contrast after mapping and scores higher.
    """

    sharpness: NDArray[np.float32]
    saturated: NDArray[np.float32]
    structure: NDArray[np.float32]
    stripes: NDArray[np.float32]
    similarity: NDArray[np.float32]


def site_metrics(field: NDArray[np.uint8], raw: Raw | None = None) -> SiteMetrics:
    """Return the metrics of a mapped field [C, H, W] of at least 8 pixels per side.

    `raw` is the image [C, H', W'] from which it was mapped. The similarity is measured on it, because the limits of
    another channel change a copy.
    """
    measured = [(_sharpness(c), np.mean(c == SATURATED), _structure(c), _stripes(c)) for c in field]
    sharpness, saturated, structure, stripes = np.array(measured, np.float32).reshape(len(field), 4).T.copy()
    return SiteMetrics(
        sharpness=sharpness,
        saturated=saturated,
        structure=structure,
        stripes=stripes,
        similarity=_similarity(field if raw is None else raw),
    )


def tile_contrast(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the contrast [N] of tiles [N, C, S, S] in grey levels of 255.

    It is the spread of the means of 4 x 4 blocks, which average pixel noise out, in the channel where it is largest. A
    tile without cells has a small contrast, whatever its brightness.
    """
    if not len(tiles):
        return np.empty(0, np.float32)
    n, channels, size, _ = tiles.shape
    edge = size // _BLOCK
    blocks = tiles[:, :, : edge * _BLOCK, : edge * _BLOCK].reshape(n, channels, edge, _BLOCK, edge, _BLOCK)
    # A block has 16 pixels of at most 255, so its sum fits into uint16, which needs less memory.
    sums = blocks.sum(axis=3, dtype=np.uint16).sum(axis=4, dtype=np.uint16).astype(np.float32)
    contrast: NDArray[np.float32] = sums.std(axis=(2, 3)).max(axis=1) / _BLOCK**2
    return contrast


def blank_tiles(contrast: NDArray[np.floating], well: NDArray[np.integer], least: float) -> NDArray[np.bool_]:
    """Return which tiles [N] have less `contrast` [N] than `least`, in wells (numbered by `well` [N]) with other tiles.

    A well of blank tiles only keeps them: its cells are gone, and that is its result. A tile whose contrast was not
    measured (NaN) is not blank.
    """
    blank: NDArray[np.bool_] = contrast < least
    blank &= np.isin(well, well[~blank])
    return blank


def _sharpness(channel: NDArray[np.uint8]) -> float:
    # Sums of products of integers below 2^53 are exact in float64, so their order does not matter.
    x = channel.astype(np.float64)
    near, far = (_autocovariance(x, lag) for lag in (_NEAR, _FAR))
    return max(1 - far / near, 0.0) if near > 0 else 0.0


def _autocovariance(x: Float, lag: int) -> float:
    """Return the autocovariance of pixels [H, W] at a distance, the mean of that along columns and that along rows."""
    mean, flat, width = float(x.mean()), x.ravel(), x.shape[1]
    down = _product(flat[lag * width :], flat[: -lag * width])
    # One product over all rows at once, minus the pairs that join the end of a row to the beginning of the next.
    across = _product(flat[lag:], flat[:-lag]) - float((x[1:, :lag] * x[:-1, -lag:]).sum())
    return (_centred(down, x, lag, mean) + _centred(across, x.T, lag, mean)) / 2


def _centred(products: float, x: Float, lag: int, mean: float) -> float:
    """Return the mean of (a - mean)(b - mean) over all pairs of rows `lag` apart, from the sum of a·b."""
    n = (x.shape[0] - lag) * x.shape[1]
    # The mean is subtracted from the sums and not from the pixels, so that the sums of integers stay exact.
    both = 2 * mean * x.size - float(x[:lag].sum()) - float(x[-lag:].sum())
    return float(products / n - mean * both / n + mean**2)


def _product(a: Float, b: Float) -> float:
    """Return the sum of a·b by this thread alone.

    BLAS would use all cores. Where the model and other programs use them too, each product waits for its turn on
    every core, which takes ten times as long as the product.
    """
    return float(np.einsum("i,i->", a, b))


def _structure(channel: NDArray[np.uint8]) -> float:
    """Return the spread of block means over the spread that they would have if neighbouring pixels were independent."""
    h, w = (n // _BLOCK for n in channel.shape)
    cut = channel[: h * _BLOCK, : w * _BLOCK]
    means = _block_sums(cut, h, w) / _BLOCK**2
    flat = cut.astype(np.float64).ravel()
    squares = _product(flat, flat)
    # A block is smaller than a cell, so the differences between its pixels are mostly noise.
    within = (squares - _BLOCK**2 * float((means**2).sum())) / (h * w * (_BLOCK**2 - 1)) / _BLOCK**2
    # Uneven illumination is not structure, so a quadratic surface is subtracted from the block means first.
    between = float(_subtract_surface(means).var())
    return float(np.sqrt(between / within)) if within > 0 else 0.0


def _stripes(channel: NDArray[np.uint8]) -> float:
    """Return the larger of the values along rows and along columns."""
    directions = ((channel[1:], channel[:-1], 1), (channel[:, 1:], channel[:, :-1], 0))
    changes = (
        ((b > a).view(np.int8) - (b < a).view(np.int8)).sum(axis=axis, dtype=np.int32) / a.shape[axis]
        for b, a, axis in directions
    )
    return max(float(np.sqrt(np.mean(change**2))) for change in changes)


def _similarity(field: Raw) -> NDArray[np.float32]:
    """Return the largest correlation of each channel [C] with another; 0 for a constant or a single one."""
    # Some rows have thousands of pixels, which are enough.
    rows = field[:, :: max(field.shape[1] // _SIMILARITY_ROWS, 1)].astype(np.float64)
    steps = (rows[:, :, 1:] - rows[:, :, :-1]).reshape(len(field), -1)
    # Sums of integers are exact, as in `_sharpness`, so that a result does not depend on threads.
    sums, products = steps.sum(axis=1), steps @ steps.T
    covariance = products - np.outer(sums, sums) / steps.shape[1]
    spread = np.sqrt(np.maximum(np.diag(covariance), 0))
    scale = np.outer(spread, spread)
    correlation = np.abs(np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0))
    np.fill_diagonal(correlation, 0)
    similarity: NDArray[np.float32] = correlation.max(axis=1, initial=0.0).astype(np.float32)
    return similarity


def _block_sums(cut: NDArray[np.uint8], h: int, w: int) -> NDArray[np.uint16]:
    rows = cut.reshape(h, _BLOCK, -1).sum(axis=1, dtype=np.uint16)
    sums: NDArray[np.uint16] = rows.reshape(h, w, _BLOCK).sum(axis=2, dtype=np.uint16)
    return sums


def _subtract_surface(means: Float) -> Float:
    """Return block means [h, w] minus their least-squares quadratic in y and x, as a vector [h · w]."""
    y, x = (np.linspace(-1, 1, n) for n in means.shape)
    ones_y, ones_x = np.ones_like(y), np.ones_like(x)
    pairs = ((ones_y, ones_x), (y, ones_x), (ones_y, x), (y, x), (y**2, ones_x), (ones_y, x**2))
    terms = np.stack([np.outer(a, b).ravel() for a, b in pairs])
    flat = means.ravel()
    residual: Float = flat - np.linalg.solve(terms @ terms.T, terms @ flat) @ terms
    return residual
