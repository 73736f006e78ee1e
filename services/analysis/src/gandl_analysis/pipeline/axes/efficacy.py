"""The efficacy axis of each cell line: fitted out of fold on its own controls, reused, or as in the paper.

Held-out efficacies are computed by `score_wells` (gandl_science.axis.cross_fit), which `score_axis` calls with the
tiles of one cell line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.arrays import Index
from gandl_science.axis.anchors import AnchorSource
from gandl_science.axis.application import apply_axis
from gandl_science.axis.cross_fit import AxisOptions, score_wells
from gandl_science.axis.definition import E2, E2_PAPER
from gandl_science.axis.folds import grouped_folds
from gandl_science.axis.paper import paper_scores
from gandl_science.axis.provenance import AxisProvenance, ControlStatus
from gandl_science.axis.scores import WellScores
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters

from gandl_analysis.pipeline.axes.definitions import MIN_WELLS
from gandl_analysis.pipeline.axes.off_axis_limit import distances_of_fit, limit_of_fit
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.axes.stored_axes import control_keys, is_in_sample
from gandl_analysis.pipeline.inputs import EarlierAxes, Preparation
from gandl_analysis.pipeline.result import EfficacyAxis
from gandl_analysis.pipeline.tiles import WellTiles

THIS_SCREEN = "this screen"
_LABELS = {Role.POSITIVE: 1, Role.NEGATIVE: -1}


@dataclass(frozen=True, kw_only=True)
class Efficacy:
    """The scored cell lines by name, in the order of the plate map.

    `pooled` holds all of them together where they share one axis, as with the preset `paper`.
    """

    cell_lines: Mapping[str, ScoredCellLine]
    pooled: ScoredCellLine | None = None


def score_efficacy(
    tiles: WellTiles, parameters: AnalysisParameters, preparation: Preparation, earlier: EarlierAxes | None
) -> Efficacy:
    """Score the wells of every cell line, by the axes of an earlier screen where there are some.

    Raises NotEnoughData naming the cell line whose axis cannot be fitted.
    """
    if parameters.preset == "paper":
        return _paper_efficacy(tiles, parameters, preparation)
    cell_lines = {}
    for name in dict.fromkeys(w.cell_line for w in tiles.wells):
        own_tiles = tiles.of_cell_line(name)
        if earlier is None:
            cell_line = _fitted(name, own_tiles, parameters, preparation)
        else:
            cell_line = _reused(name, own_tiles, earlier)
        # Emptied wells are scored for their off-axis distance only; their other scores are removed here.
        cell_lines[name] = cell_line.without_emptied
    return Efficacy(cell_lines=cell_lines)


def score_axis(name: str, tiles: WellTiles, labels: Index, parameters: AnalysisParameters) -> WellScores | None:
    """Fit the axis between the wells labelled +1 and -1 as the parameters say, and score all wells.

    `labels` [W] are 0 for wells without tiles. Returns None with fewer than two wells of a side.
    """
    options = AxisOptions(whitening=parameters.whitening, regularisation=parameters.regularisation)
    if min(_count(labels, 1), _count(labels, -1)) < MIN_WELLS:
        return None
    if parameters.preset == "paper":
        return paper_scores(tiles.vectors, tiles.well, labels, options, name=name)
    experiments = [w.experiment for w in tiles.wells]
    folds = grouped_folds(tiles.positions, labels, experiments=experiments)
    if folds is None:
        return None
    return score_wells(tiles.vectors, tiles.well, labels, folds, options, name=name)


def scored_on_this_screen(
    tiles: WellTiles, labels: Index, scores: WellScores, provenance: AxisProvenance
) -> ScoredCellLine:
    """Return the wells of an axis that was fitted on this screen, with its provenance."""
    fit = replace(scores.fit, provenance=provenance)
    in_sample = fit.control_status is ControlStatus.IN_SAMPLE
    origin = EfficacyAxis(
        cell_line=provenance.cell_line,
        hash=fit.digest,
        fitted_on=THIS_SCREEN,
        anchors=AnchorSource.IN_SAMPLE if in_sample else AnchorSource.HELD_OUT,
    )
    scores = replace(scores, fit=fit)
    return ScoredCellLine(tiles=tiles, labels=labels, scores=scores, stored_fit=fit, origin=origin)


def control_labels(tiles: WellTiles) -> Index:
    """Return +1, -1 or 0 for each well [W]. A control without images has 0."""
    return np.array([_LABELS.get(w.role, 0) for w in tiles.wells], np.intp) * tiles.present


def _fitted(name: str, tiles: WellTiles, parameters: AnalysisParameters, preparation: Preparation) -> ScoredCellLine:
    labels = control_labels(tiles)
    scores = score_axis(E2.name, tiles, labels, parameters)
    if scores is None:
        raise _too_few_controls(f"cell line {name}", tiles, labels)
    # The limit is stored with the axis, because a later screen may have too few controls to set one.
    provenance = preparation.provenance(
        cell_line=name,
        control_keys=control_keys(tiles, labels),
        off_axis_limit=limit_of_fit(scores, labels),
        control_distances=distances_of_fit(scores, labels),
    )
    return scored_on_this_screen(tiles, labels, scores, provenance)


def _reused(name: str, tiles: WellTiles, earlier: EarlierAxes) -> ScoredCellLine:
    """Score a cell line by an earlier axis, anchored by its own controls, as no fit has used them.

    The stored anchors are used where there are too few controls, or where the axis was fitted on any of them.
    """
    fit, labels = earlier.of_cell_line(name), control_labels(tiles)
    in_sample = is_in_sample(fit, tiles, labels)
    own_anchors = not in_sample and min(_count(labels, 1), _count(labels, -1)) >= MIN_WELLS
    status = ControlStatus.IN_SAMPLE if in_sample else ControlStatus.UNSEEN
    scores = apply_axis(fit, tiles.vectors, tiles.well, labels, anchor_again=own_anchors, status=status)
    origin = EfficacyAxis(
        cell_line=name,
        hash=fit.digest,
        fitted_on=earlier.source,
        anchors=AnchorSource.OWN_CONTROLS if own_anchors else AnchorSource.STORED,
    )
    # With new anchors the axis is another one; otherwise the earlier file is kept unchanged.
    stored_fit = scores.fit if own_anchors else fit
    return ScoredCellLine(tiles=tiles, labels=labels, scores=scores, stored_fit=stored_fit, origin=origin)


def _paper_efficacy(tiles: WellTiles, parameters: AnalysisParameters, preparation: Preparation) -> Efficacy:
    """Score all cell lines by one axis with one pair of anchors, and divide them afterwards."""
    labels = control_labels(tiles)
    scores = score_axis(E2_PAPER.name, tiles, labels, parameters)
    if scores is None:
        raise _too_few_controls("the screen", tiles, labels)
    # The anchors belong to all cell lines together, so they are divided only after scoring.
    pooled = scored_on_this_screen(tiles, labels, scores, preparation.provenance(cell_line=None))
    names = np.array([w.cell_line for w in tiles.wells], object)
    cell_lines = {name: pooled.subset(names == name).without_emptied for name in dict.fromkeys(names.tolist())}
    return Efficacy(cell_lines=cell_lines, pooled=pooled.without_emptied)


def _too_few_controls(subject: str, tiles: WellTiles, labels: Index) -> NotEnoughData:
    positive, negative = _count(labels, 1), _count(labels, -1)
    detail = f"{subject} has {positive} positive and {negative} negative control wells with usable images"
    failed = {
        w.well: why
        for w in tiles.wells
        if w.role in _LABELS and (why := tiles.image_qc.exclusion_reason(w)) is not None
    }
    if failed:
        examples = "; ".join(f"{well} {why}" for well, why in list(failed.items())[:3])
        detail += f" ({len(failed)} more failed: {examples}; image_qc.exclude in the analysis parameters decides)"
    return NotEnoughData(f"{detail}; an axis with held-out controls needs at least two of each")


def _count(labels: Index, side: int) -> int:
    return int(np.sum(labels == side))
