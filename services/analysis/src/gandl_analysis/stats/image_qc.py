"""Whether a site's image can be used at all: focus, saturation, emptiness. Flags, no corrections.

The rule: a site is `empty` if no channel has structure (its signal-to-noise, the spread of 4 x 4 block means over that
expected of the pixels' own noise, is below `structure` everywhere); `saturated` if more than `saturation` of the pixels
of any channel are at the upper end; `blurred` if its sharpness, the fall of the autocovariance from pixels 1 to pixels
3 apart, lies more than `focus` robust standard deviations below the median of the plate's sites in any channel. (The
usual variance of the Laplacian measures noise in dim images: a blurred field, having less contrast, scores higher.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

_BLOCK = 4
_MAD = 1.4826
_FEWEST_SITES = 8


@dataclass(frozen=True)
class ImageLimits:
    """Thresholds of the rule above."""

    structure: float = 1.5
    saturation: float = 0.05
    focus: float = 4.0


@dataclass(frozen=True)
class SiteFigures:
    """Of one site, per channel [C]: `sharpness` (1 - C(3) / C(1), C the autocovariance at a distance in pixels; falls
    with blur), `saturated` (share of pixels at the top), `structure` (1 for pure noise)."""

    sharpness: Float
    saturated: Float
    structure: Float


def site_figures(field: NDArray[np.uint8], top: int = 255) -> SiteFigures:
    """Figures of one field [C, H, W], at least 8 pixels a side. `top` is the value that counts as saturated."""
    x = field.astype(np.float64)
    return SiteFigures(_sharpness(x), (field >= top).mean(axis=(1, 2)), _structure(x))


def site_flags(figures: list[SiteFigures], limits: ImageLimits | None = None) -> list[tuple[str, ...]]:
    """The flags of each site of one plate, compared with each other: of `empty`, `saturated`, `blurred`.

    Focus is judged from eight sites on, and not for empty ones.
    """
    rules = limits or ImageLimits()
    empty = [bool((f.structure < rules.structure).all()) for f in figures]
    least = _least_sharpness([f for f, e in zip(figures, empty, strict=True) if not e], rules)
    return [_flags(f, e, least, rules) for f, e in zip(figures, empty, strict=True)]


def _flags(figures: SiteFigures, empty: bool, least: Float | None, rules: ImageLimits) -> tuple[str, ...]:
    found = {
        "empty": empty,
        "saturated": bool((figures.saturated > rules.saturation).any()),
        "blurred": not empty and least is not None and bool((np.log(figures.sharpness + 1e-12) < least).any()),
    }
    return tuple(name for name, is_so in found.items() if is_so)


def _least_sharpness(figures: list[SiteFigures], rules: ImageLimits) -> Float | None:
    """Per channel, on a logarithmic scale: median less `focus` robust standard deviations (at least 5 %)."""
    if len(figures) < _FEWEST_SITES:
        return None
    log = np.log(np.stack([f.sharpness for f in figures]) + 1e-12)
    centre = np.median(log, axis=0)
    spread = np.maximum(_MAD * np.median(np.abs(log - centre), axis=0), 0.05)
    least: Float = centre - rules.focus * spread
    return least


def _sharpness(x: Float) -> Float:
    """White noise has no autocovariance between pixels, so that it counts for nothing here."""
    centred = x - x.mean(axis=(1, 2), keepdims=True)
    near, far = (_autocovariance(centred, lag) for lag in (1, 3))
    sharpness: Float = 1 - np.divide(far, near, out=np.ones(len(x)), where=near > 0)
    return np.maximum(sharpness, 0)


def _autocovariance(centred: Float, lag: int) -> Float:
    """Mean over rows and columns, [C]."""
    down = (centred[:, lag:] * centred[:, :-lag]).mean(axis=(1, 2))
    across = (centred[:, :, lag:] * centred[:, :, :-lag]).mean(axis=(1, 2))
    both: Float = (down + across) / 2
    return both


def _structure(x: Float) -> Float:
    """Spread of block means over the spread they would have if neighbouring pixels were independent. Uneven
    illumination is no structure: a quadratic surface is taken off the block means first."""
    c, h, w = x.shape
    cut = x[:, : h // _BLOCK * _BLOCK, : w // _BLOCK * _BLOCK]
    blocks = cut.reshape(c, h // _BLOCK, _BLOCK, w // _BLOCK, _BLOCK)
    within = blocks.var(axis=(2, 4), ddof=1).mean(axis=(1, 2)) / _BLOCK**2
    between = _without_surface(blocks.mean(axis=(2, 4))).var(axis=(1, 2))
    ratio: Float = np.sqrt(np.divide(between, within, out=np.ones(c), where=within > 0))
    return ratio


def _without_surface(blocks: Float) -> Float:
    """Block means [C, h, w] less their best quadratic in y and x."""
    c, h, w = blocks.shape
    y, x = (a.ravel() for a in np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij"))
    terms = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=1)
    flat = blocks.reshape(c, -1).T
    fitted = terms @ np.linalg.lstsq(terms, flat, rcond=None)[0]
    rest: Float = (flat - fitted).T.reshape(c, h, w)
    return rest
