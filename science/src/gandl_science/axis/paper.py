"""What the paper did, for comparison only: raw vectors, all cell lines pooled, scaled by the training controls.

Its anchors lie too far apart, so that unseen positive controls fall short of +1, and figures of its controls flatter,
as the axis has seen them (docs/axes-and-quality.md).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gandl_science.arrays import group_means
from gandl_science.axis.anchors import control_anchors
from gandl_science.axis.cross_fit import AxisOptions, WellScores, applied, fit_linear_axis
from gandl_science.axis.fitted import IN_SAMPLE, AxisFit, OffAxis
from gandl_science.axis.residual import first_component, off_reference, remainder_of, well_scatter

Float = NDArray[np.float64]
Index = NDArray[np.intp]

OPTIONS = AxisOptions(whiten="raw", regularisation=1.0, name="E2-paper")
"""The paper does not give C: this is the default of the SVMs it used."""


def paper_scores(
    vectors: NDArray[np.floating], well: Index, labels: Index, options: AxisOptions = OPTIONS
) -> WellScores:
    """Score wells by an axis that has seen all labelled ones: `vectors` [N, F], `well` [N] indexing `labels` [W]
    (+1, -1, 0). There is no `off_distance` (NaN): the paper has none. Raises ValueError for vectors not finite.
    """
    if not np.isfinite(vectors).all():
        raise ValueError("vectors hold NaN or infinite numbers")
    tile_labels = labels[well]
    axis = fit_linear_axis(vectors[tile_labels != 0], tile_labels[tile_labels != 0], options)
    means = group_means(vectors, well, len(labels))
    weights, bias = axis.functional
    on = means @ weights + bias
    anchors = control_anchors(on, labels)
    remainder, efficacy = remainder_of(axis.whiten, axis.weights), anchors.efficacy(on)
    controls = remainder(means[labels != 0])
    direction = first_component(controls)
    reference = off_reference(remainder, means, efficacy, labels, well_scatter(means, efficacy))
    off_axis = OffAxis(axis.whiten, axis.weights, direction, float(np.nanmean(controls @ direction)), reference, 1.0)
    name, whiten, c = options.name, options.whiten, options.regularisation
    fit = AxisFit(name, whiten, c, IN_SAMPLE, weights[None], np.array([bias]), anchors, off_axis)
    scores = applied(fit, vectors, well, labels)
    return replace(scores, off_distance=np.full(len(labels), np.nan))


def min_max(values: Float) -> Float:
    """Scaled so that the smallest is -1 and the largest +1, as in the paper's plots; 0 where all are equal. NaN stays
    NaN."""
    low, high = np.nanmin(values), np.nanmax(values)
    if high <= low:
        return np.where(np.isfinite(values), 0.0, values)
    return -1 + 2 * (values - low) / (high - low)
