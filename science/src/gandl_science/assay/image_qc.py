"""Whether a site's image can be used: emptiness, exposure, focus. Flags by one rule, no corrections.

The figures are those of `gandl_shared.imaging.metrics`, measured on the field as the model sees it. A site is

- `overexposed` if more than `overexposed` of the pixels of a channel are at the upper end: that channel shows nothing;
- `saturated` if more than `saturation` are, but no channel is overexposed;
- `empty` if no channel has structure (all below `structure`; 1 is pure noise) and none is overexposed;
- `blurred` if the sharpness of a channel that has structure lies more than `focus` robust standard deviations (at least
  5 % each, on a logarithmic scale) below the median of the sites it is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[np.floating]
Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

REASONS = ("empty", "overexposed", "saturated", "blurred")

_MAD = 1.4826
_FEWEST_SITES = 8
_LEAST_SPREAD = 0.05


@dataclass(frozen=True)
class ImageLimits:
    """Thresholds of the rule above."""

    structure: float
    saturation: float
    overexposed: float
    focus: float


def site_flags(
    sharpness: Figures, saturated: Figures, structure: Figures, limits: ImageLimits
) -> tuple[tuple[str, ...], ...]:
    """The flags of each of S sites that may be compared with each other (one cell line on one plate), from their
    figures [S, C]. Focus is judged in channels that have structure in eight sites or more."""
    exposed = saturated.max(axis=1, initial=0.0)
    overexposed = exposed > limits.overexposed
    seen = structure >= limits.structure
    found = {
        "empty": ~seen.any(axis=1) & ~overexposed,
        "overexposed": overexposed,
        "saturated": (exposed > limits.saturation) & ~overexposed,
        "blurred": _blurred(sharpness, seen, limits.focus),
    }
    return tuple(tuple(name for name in REASONS if found[name][site]) for site in range(len(structure)))


def focus_judged(structure: Figures, limits: ImageLimits) -> bool:
    """Whether the sites [S, C] are enough to judge focus in any channel."""
    return bool(((structure >= limits.structure).sum(axis=0) >= _FEWEST_SITES).any())


def _blurred(sharpness: Figures, seen: Mask, focus: float) -> Mask:
    """Sites [S] that are blurred in a channel where both they and enough others have structure."""
    blurred = np.zeros(len(sharpness), bool)
    for channel, known in zip(np.log(sharpness.astype(np.float64) + 1e-12).T, seen.T, strict=True):
        if known.sum() >= _FEWEST_SITES:
            centre = np.median(channel[known])
            spread = max(_MAD * float(np.median(np.abs(channel[known] - centre))), _LEAST_SPREAD)
            blurred |= known & (channel < centre - focus * spread)
    return blurred
