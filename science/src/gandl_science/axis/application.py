"""Scores by an axis that is fitted already, such as the axis of an earlier screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gandl_science.arrays import Index, Vectors, group_means
from gandl_science.axis.anchors import control_anchors
from gandl_science.axis.fitted import AxisFit
from gandl_science.axis.provenance import ControlStatus
from gandl_science.axis.scores import WellScores, count_tiles_right


def apply_axis(
    fit: AxisFit,
    vectors: Vectors,
    well: Index,
    labels: Index,
    *,
    anchor_again: bool = False,
    status: ControlStatus = ControlStatus.UNSEEN,
) -> WellScores:
    """Score `vectors` [N, F] of the wells that `well` [N] names, with `labels` [W] (+1, -1, 0), by the axis `fit`.

    `anchor_again` takes the anchors from these wells' own controls. That is unbiased only if no fit has used them. The
    `fit` of the result has the anchors that were used and the `status` of the controls. Off-axis distances are measured
    along the directions in which the wells of the fitted screen deviated, so another kind of toxicity may be missed.
    """
    tile_on = fit.along(vectors)
    on = group_means(tile_on[:, None], well, len(labels))[:, 0]
    # Controls that a fit has used score too far apart, so anchors from them would be biased.
    anchors = control_anchors(on, labels) if anchor_again else fit.anchors
    efficacy = anchors.efficacy(on)
    means = group_means(vectors, well, len(labels))
    # Nothing was held out of this screen, whatever was held out when the axis was fitted.
    used = replace(fit, anchors=anchors, held_out=None, control_status=status)
    return WellScores(
        on=on,
        off=fit.off_axis.coordinate(means),
        off_distance=fit.off_axis.distance(means, efficacy),
        efficacy=efficacy,
        n_tiles=np.bincount(well, minlength=len(labels)),
        tiles_right=count_tiles_right(tile_on, well, labels),
        tile_on=tile_on,
        fit=used,
    )
