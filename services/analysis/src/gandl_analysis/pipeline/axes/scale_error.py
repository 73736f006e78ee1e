"""The error of the efficacy scale: -1 and +1 are means of control wells, which have a sampling error of their own."""

from __future__ import annotations

import numpy as np
from gandl_science.axis.anchors import AnchorSource
from gandl_science.dose_response.records.inputs import ScaleError

from gandl_analysis.pipeline.axes.efficacy import Efficacy
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine

_MIN_CONTROLS = 2


def scale_errors(efficacy: Efficacy) -> dict[str, ScaleError]:
    """Return the errors of both ends of the efficacy scale by cell line.

    A cell line has none where its anchors are stored with an earlier axis, because their wells are not of this screen.
    """
    errors = {name: _scale_error(efficacy.pooled or cell_line) for name, cell_line in efficacy.cell_lines.items()}
    return {name: error for name, error in errors.items() if error is not None}


def _scale_error(cell_line: ScoredCellLine) -> ScaleError | None:
    """Return s^2 / n of the efficacies of each class of controls; None if the anchors are not their means."""
    if cell_line.origin.anchors is AnchorSource.STORED:
        return None
    variances = []
    for side in (-1, 1):
        wells = cell_line.scores.efficacy[cell_line.labels == side]
        wells = wells[np.isfinite(wells)]
        if wells.size < _MIN_CONTROLS:
            return None
        variances.append(float(wells.var(ddof=1) / wells.size))
    return ScaleError(negative=variances[0], positive=variances[1])
