"""What the paper did, for comparison only: raw vectors, all cell lines pooled, scaled by the training controls.

Its anchors lie too far apart, so that unseen positive controls fall short of +1 (docs/axes-and-quality.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandl_analysis.stats.axes import AxisOptions, fit_linear_axis
from gandl_analysis.stats.efficacy import control_anchors, group_means
from gandl_analysis.stats.remainder import first_component, split

Float = NDArray[np.float64]
Index = NDArray[np.intp]

OPTIONS = AxisOptions(whiten="raw", regularisation=1.0, name="E2-paper")
"""The paper does not give C: this is the default of the SVMs it used."""


@dataclass(frozen=True)
class PaperScores:
    """Per well [W]: `on` and `off` as they are, `efficacy` by in-sample anchors, and `on_plot`, `off_plot` as the
    figures of the paper show them, min-max scaled to [-1, 1]."""

    on: Float
    off: Float
    efficacy: Float
    on_plot: Float
    off_plot: Float


def paper_scores(vectors: NDArray[np.floating], well: Index, labels: Index) -> PaperScores:
    """Score the wells of all cell lines at once: `vectors` [N, F], `well` [N] indexing `labels` [W] (+1, -1, 0)."""
    tile_labels = labels[well]
    axis = fit_linear_axis(vectors[tile_labels != 0], tile_labels[tile_labels != 0], OPTIONS)
    means = group_means(vectors, well, len(labels))
    along, remainder = split(axis.whiten(means), axis.weights)
    controls = remainder[labels != 0]
    direction = first_component(controls)
    on, off = along + axis.bias, (remainder - np.nanmean(controls, axis=0)) @ direction
    return PaperScores(on, off, control_anchors(on, labels).efficacy(on), min_max(on), min_max(off))


def min_max(values: Float) -> Float:
    """Scaled so that the smallest is -1 and the largest +1; 0 where all are equal. NaN stays NaN."""
    low, high = np.nanmin(values), np.nanmax(values)
    if high <= low:
        return np.where(np.isfinite(values), 0.0, values)
    return -1 + 2 * (values - low) / (high - low)
