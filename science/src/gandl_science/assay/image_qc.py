"""Image quality control: problems of sites, by one rule, from image metrics. Nothing is corrected.

The metrics are those of `gandl_shared.imaging.metrics`, measured on the field as the model receives it. A site is

- `overexposed` if more than `overexposed` of the pixels of a channel are at the upper end: that channel shows nothing;
- `saturated` if more than `saturation` are, but no channel is overexposed;
- `empty` if no channel has structure (all are below `structure`; 1 is pure noise) and none is overexposed;
- `blurred` if the sharpness of a channel that has structure is more than `focus` robust standard deviations (at least
  5 % each, on a logarithmic scale) below the median of the sites with which it is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandl_science.arrays import Mask
from gandl_science.assay.spread import robust_sd

Metrics = NDArray[np.floating]

MIN_SITES = 8
"""The fewest sites with structure in a channel for a judgement of focus: a median of fewer is no reference."""
_MIN_SPREAD = 0.05
_SMALLEST_SHARPNESS = 1e-12  # an entirely even channel has sharpness 0, which has no logarithm


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """The thresholds of the rule above."""

    structure: float
    saturation: float
    overexposed: float
    focus: float


@dataclass(frozen=True, kw_only=True)
class SiteProblems:
    """Which of S sites have a problem: one mask [S] per problem."""

    empty: Mask
    overexposed: Mask
    saturated: Mask
    blurred: Mask


def site_problems(sharpness: Metrics, saturated: Metrics, structure: Metrics, limits: ImageLimits) -> SiteProblems:
    """Return the problems of S sites of one cell line on one plate, from their metrics [S, C].

    Only such sites may be compared. Focus is judged in channels in which eight sites or more have structure.
    """
    saturation = saturated.max(axis=1, initial=0.0)
    overexposed = saturation > limits.overexposed
    structured = structure >= limits.structure
    return SiteProblems(
        empty=~structured.any(axis=1) & ~overexposed,
        overexposed=overexposed,
        saturated=(saturation > limits.saturation) & ~overexposed,
        blurred=_blurred(sharpness, structured, limits.focus),
    )


def can_judge_focus(structure: Metrics, limits: ImageLimits) -> bool:
    """Return True if enough of the sites [S, C] have structure to judge focus in any channel."""
    return bool(((structure >= limits.structure).sum(axis=0) >= MIN_SITES).any())


def _blurred(sharpness: Metrics, structured: Mask, focus: float) -> Mask:
    """Return the sites [S] that are blurred in a channel in which they and enough others have structure."""
    blurred = np.zeros(len(sharpness), bool)
    # Sharpness varies by factors, so it is compared on a logarithmic scale.
    logarithms = np.log(sharpness.astype(np.float64) + _SMALLEST_SHARPNESS)
    for channel, usable in zip(logarithms.T, structured.T, strict=True):
        if usable.sum() >= MIN_SITES:
            centre = np.median(channel[usable])
            # Very even sites would make a spread near 0, by which a small difference would count as blur.
            spread = max(robust_sd(channel[usable]), _MIN_SPREAD)
            blurred |= usable & (channel < centre - focus * spread)
    return blurred
