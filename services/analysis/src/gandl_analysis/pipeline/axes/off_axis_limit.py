"""How far a well may be off the axis before it deviates from the controls, and which controls decide that.

The formulas are `control_distances` (gandl_science.assay.controls.distances), by class of controls, and
`off_axis_limit` (gandl_science.dose_response.verdict.onset), one limit for all. Here, and only here, is decided which
controls set them.
"""

from __future__ import annotations

import numpy as np
from gandl_science.arrays import Index
from gandl_science.assay.controls.distances import ControlDistances, control_distances
from gandl_science.axis.scores import WellScores
from gandl_science.dose_response.verdict.onset import off_axis_limit
from gandl_shared.schemas.vocabulary import Role

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.curves.off_axis import OffAxisRule

_LABELS = {Role.POSITIVE: 1, Role.NEGATIVE: -1}


def rule_of_cell_line(cell_line: ScoredCellLine) -> OffAxisRule:
    """Return what the wells of a cell line are compared with.

    The distances of the screen's own controls count if the axis was fitted without them. If there are too few of them,
    or if they are in-sample, those that are stored with the axis are used.
    """
    provenance, scores = cell_line.stored_fit.provenance, cell_line.scores
    stored = None if provenance is None else provenance.control_distances
    own = None
    if not cell_line.in_sample:
        own = control_distances(scores.off_distance, _labels(cell_line), scores.efficacy)
    return OffAxisRule(limit=limit_of_cell_line(cell_line), controls=stored if own is None else own)


def limit_of_cell_line(cell_line: ScoredCellLine) -> float | None:
    """Return the limit for the wells of a cell line, or None where nothing can set one.

    The screen's own controls set it if the axis was fitted without them. If there are too few of them, or if they are
    in-sample, the limit stored with the axis is used, because controls are nearer to an axis of their own.
    """
    provenance = cell_line.stored_fit.provenance
    stored = None if provenance is None else provenance.off_axis_limit
    # An axis file from outside may hold any number; infinity or NaN is no limit.
    stored = stored if stored is not None and np.isfinite(stored) else None
    if cell_line.in_sample:
        return stored
    # Emptied controls count here, as their off-axis distance is known; `limit_of_fit` does not have them.
    own = off_axis_limit(cell_line.scores.off_distance, _labels(cell_line))
    return stored if own is None else own


def limit_of_fit(scores: WellScores, labels: Index) -> float | None:
    """Return the limit to store with a new axis: that of the held-out wells it was fitted on (`labels` [W] not 0)."""
    return off_axis_limit(scores.off_distance, labels)


def distances_of_fit(scores: WellScores, labels: Index) -> ControlDistances | None:
    """Return the distances to store with a new axis: those of the held-out wells it was fitted on, by class."""
    return control_distances(scores.off_distance, labels, scores.efficacy)


def _labels(cell_line: ScoredCellLine) -> Index:
    return np.array([_LABELS.get(w.role, 0) for w in cell_line.wells], int)
