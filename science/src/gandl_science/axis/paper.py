"""The scores as the paper computed them, for comparison only: raw vectors, all cell lines pooled, in-sample anchors.

The axis is fitted on the same controls that anchor it. These anchors are too far apart, so that unseen positive
controls fall short of +1, and metrics of the controls flatter the assay (docs/axes-and-quality.md).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gandl_science.arrays import Float, Index, Vectors, group_means
from gandl_science.axis.anchors import control_anchors
from gandl_science.axis.application import apply_axis
from gandl_science.axis.cross_fit import AxisOptions, LinearAxis, fit_linear_axis
from gandl_science.axis.fitted import AxisFit, OffAxis
from gandl_science.axis.provenance import ControlStatus
from gandl_science.axis.residual import first_component, off_reference, residual_of, well_scatter
from gandl_science.axis.scores import WellScores


def paper_scores(vectors: Vectors, well: Index, labels: Index, options: AxisOptions, *, name: str) -> WellScores:
    """Score wells by one axis that is fitted on all labelled wells.

    `vectors` is [N, F]; `well` [N] indexes `labels` [W] (+1, -1, 0). `off_distance` is NaN, as the paper has none.
    Raises ValueError for vectors that are not finite.
    """
    if not np.isfinite(vectors).all():
        raise ValueError("vectors hold NaN or infinite numbers")
    tile_labels = labels[well]
    axis = fit_linear_axis(vectors[tile_labels != 0], tile_labels[tile_labels != 0], options)
    means = group_means(vectors, well, len(labels))
    weights, bias = axis.functional
    # The axis is linear, so the score of a well's mean vector is the mean of its tiles' scores.
    on = means @ weights + bias
    anchors = control_anchors(on, labels)
    fit = AxisFit(
        name=name,
        whitening=options.whitening,
        regularisation=options.regularisation,
        held_out=None,
        control_status=ControlStatus.IN_SAMPLE,
        weights=weights[None],
        biases=np.array([bias]),
        anchors=anchors,
        off_axis=_off_axis(axis, means, anchors.efficacy(on), labels),
    )
    # Tiles are scored by the same axis; distances would be in-sample, and the paper has none.
    scores = apply_axis(fit, vectors, well, labels, status=ControlStatus.IN_SAMPLE)
    return replace(scores, off_distance=np.full(len(labels), np.nan))


def _off_axis(axis: LinearAxis, means: Float, efficacy: Float, labels: Index) -> OffAxis:
    """Return the Off coordinate of the controls. The file of an axis holds a reference for distances too."""
    residual = residual_of(axis.whitening, axis.weights)
    controls = residual(means[labels != 0])
    direction = first_component(controls)
    return OffAxis(
        whitening=axis.whitening,
        weights=axis.weights,
        direction=direction,
        centre=float(np.nanmean(controls @ direction)),
        reference=off_reference(residual, means, efficacy, labels, well_scatter(means, efficacy)),
        unit=1.0,
    )


def min_max(values: Float) -> Float:
    """Scale values so that the smallest is -1 and the largest +1, as in the plots of the paper.

    All values become 0 where they are equal. NaN stays NaN.
    """
    low, high = np.nanmin(values), np.nanmax(values)
    if high <= low:
        return np.where(np.isfinite(values), 0.0, values)
    return -1 + 2 * (values - low) / (high - low)
