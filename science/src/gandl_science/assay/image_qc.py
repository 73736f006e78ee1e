"""Image quality control: problems of sites and their channels, by one rule, from image metrics. Nothing is corrected.

The metrics are those of `gandl_shared.imaging.metrics`, measured on the field as the model receives it. A site is
`empty` if no channel has structure (all are below `structure`; 1 is pure noise) and none is overexposed. Otherwise its
channels are judged one by one. A channel is

- `dead` if it has no structure while another channel of the site has, and one of these holds: all its pixels are equal,
  it has no structure in any site, or most controls of one kind show structure in it and others of the same kind do not;
- a `copy` of another channel if its neighbouring pixels change with theirs by more than `similarity`;
- `overexposed` if more than `overexposed` of its pixels are at the upper end: it shows nothing;
- `saturated` if more than `saturation` are, but no channel of the site is overexposed;
- `striped` if whole rows or columns of its pixels change together by more than `stripes`;
- `blurred` if it has structure and its sharpness is more than `focus` robust standard deviations (at least 5 % each, on
  a logarithmic scale) below the median of the sites with which it is compared.

A channel without structure is not always dead: a reporter may be silent in some wells. Controls of one kind are in the
same state, so that a difference between them is a failure and no biology.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandl_science.arrays import Index, Mask
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
    stripes: float
    similarity: float


@dataclass(frozen=True, kw_only=True)
class ChannelMetrics:
    """The metrics of C channels of S sites, each [S, C]. A metric that was not measured (NaN) shows no problem."""

    sharpness: Metrics
    saturated: Metrics
    structure: Metrics
    stripes: Metrics
    similarity: Metrics


@dataclass(frozen=True, kw_only=True)
class SiteProblems:
    """Which of S sites are `empty` [S], and which of their C channels have each of the other problems [S, C]."""

    empty: Mask
    dead: Mask
    overexposed: Mask
    copy: Mask
    saturated: Mask
    striped: Mask
    blurred: Mask

    def of_sites(self, problem: str) -> Mask:
        """Return the sites [S] that have a problem, which is the name of a field, in any channel."""
        mask: Mask = getattr(self, problem)
        return mask if mask.ndim == 1 else _in_any_channel(mask)


def site_problems(metrics: ChannelMetrics, controls: Index, limits: ImageLimits) -> SiteProblems:
    """Return the problems of S sites of one cell line on one plate, and of their C channels.

    `controls` [S] is +1 or -1 for sites of positive and negative controls, otherwise 0. Only such sites may be
    compared. Focus is judged in channels in which eight sites or more have structure.
    """
    structured: Mask = metrics.structure >= limits.structure
    overexposed: Mask = metrics.saturated > limits.overexposed
    white = _in_any_channel(overexposed)
    empty = ~_in_any_channel(structured) & ~white
    return SiteProblems(
        empty=empty,
        dead=_dead(metrics.structure, structured, controls) & ~overexposed,
        overexposed=overexposed,
        copy=metrics.similarity > limits.similarity,
        saturated=(metrics.saturated > limits.saturation) & ~white[:, None],
        striped=metrics.stripes > limits.stripes,
        blurred=_blurred(metrics.sharpness, structured, limits.focus),
    )


def can_judge_focus(structure: Metrics, limits: ImageLimits) -> bool:
    """Return True if enough of the sites [S, C] have structure to judge focus in any channel."""
    return bool(((structure >= limits.structure).sum(axis=0) >= MIN_SITES).any())


def _in_any_channel(mask: Mask) -> Mask:
    return np.asarray(mask.any(axis=1), bool)


def _dead(structure: Metrics, structured: Mask, controls: Index) -> Mask:
    """Return the channels [S, C] that show nothing although another channel of the site does."""
    populated = _in_any_channel(structured)
    # The metric is 0 where all blocks are even; the noise of a camera makes it about 1.
    constant = structure == 0
    nowhere = ~structured[populated].any(axis=0)
    failing = np.zeros(structured.shape[1], bool)
    for side in (1, -1):
        alike = structured[populated & (controls == side)]
        if len(alike):
            share = alike.mean(axis=0)
            failing |= (share >= 0.5) & (share < 1)
    dead: Mask = populated[:, None] & ~structured & (constant | nowhere | failing)
    return dead


def _blurred(sharpness: Metrics, structured: Mask, focus: float) -> Mask:
    """Return the channels [S, C] that are blurred, where the site and enough others have structure."""
    blurred = np.zeros(sharpness.shape, bool)
    # Sharpness varies by factors, so it is compared on a logarithmic scale.
    logarithms = np.log(sharpness.astype(np.float64) + _SMALLEST_SHARPNESS)
    for c, (channel, usable) in enumerate(zip(logarithms.T, structured.T, strict=True)):
        if usable.sum() >= MIN_SITES:
            centre = np.median(channel[usable])
            # Very even sites would make a spread near 0, by which a small difference would count as blur.
            spread = max(robust_sd(channel[usable]), _MIN_SPREAD)
            blurred[:, c] = usable & (channel < centre - focus * spread)
    return blurred
