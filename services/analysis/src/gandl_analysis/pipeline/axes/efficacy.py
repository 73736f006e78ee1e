"""The efficacy axis of each cell line: fitted on its own controls, of an earlier screen, or as in the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.axis.cross_fit import AxisOptions, WellScores, applied, score_wells
from gandl_science.axis.definition import E2
from gandl_science.axis.fitted import IN_SAMPLE, SCREEN, AxisFit
from gandl_science.axis.folds import grouped_folds
from gandl_science.axis.paper import OPTIONS, paper_scores
from gandl_science.dose_response.onset import off_axis_limit
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters

from gandl_analysis.pipeline.axes.stored_axes import (
    CELL_LINE,
    CONTROLS,
    OFF_LIMIT,
    EarlierAxes,
    Preparation,
    control_sites,
    has_seen,
)
from gandl_analysis.pipeline.checks import FEWEST
from gandl_analysis.pipeline.quality import ScoredLine
from gandl_analysis.pipeline.result import EfficacyAxis
from gandl_analysis.pipeline.tiles import Index, Mask, WellTiles

_LABELS = {Role.POSITIVE: 1, Role.NEGATIVE: -1}
THIS_SCREEN = "this screen"


@dataclass(frozen=True)
class Line:
    """One cell line: its tiles, their scores, the axis to be kept for later, and where that comes from."""

    tiles: WellTiles
    scored: ScoredLine
    fit: AxisFit
    origin: EfficacyAxis


@dataclass(frozen=True)
class Efficacy:
    """Every cell line by name, in the order of the plate map; `pooled`: all as one, where they share one axis."""

    lines: Mapping[str, Line]
    pooled: ScoredLine | None = None


def score_axis(name: str, tiles: WellTiles, labels: Index, parameters: AnalysisParameters) -> WellScores | None:
    """Fit the axis between the wells labelled +1 and -1 ([W], only wells with tiles) as the parameters say; None with
    fewer than two wells of a side."""
    how = AxisOptions(parameters.whitening, parameters.regularisation, name)
    if min(_count(labels, 1), _count(labels, -1)) < FEWEST:
        return None
    if parameters.preset == "paper":
        return paper_scores(tiles.vectors, tiles.well, labels, how)
    experiments = [w.experiment for w in tiles.wells]
    folds = grouped_folds(tiles.plates, [w.well for w in tiles.wells], labels, experiments=experiments)
    return None if folds is None else score_wells(tiles.vectors, tiles.well, labels, folds, options=how)


def score_efficacy(
    tiles: WellTiles, parameters: AnalysisParameters, made: Preparation, earlier: EarlierAxes | None
) -> Efficacy:
    """The efficacies of a screen as the parameters say, by the axes of an earlier one where there are some.

    Raises NotEnoughData naming the cell line where an axis cannot be fitted.
    """
    if parameters.preset == "paper":
        return _paper_lines(tiles, parameters, made)
    found = {}
    for name in dict.fromkeys(w.cell_line for w in tiles.wells):
        part = tiles.of_line(name)
        line = _fitted(name, part, parameters, made) if earlier is None else _reused(name, part, earlier)
        found[name] = _seen(line)
    return Efficacy(found)


def line_scores(tiles: WellTiles, labels: Index, scores: WellScores) -> ScoredLine:
    """What figures of quality are made of."""
    return ScoredLine(tiles.wells, labels, scores, tiles.vectors, tiles.well, tiles.sites.tolist())


def control_labels(tiles: WellTiles) -> Index:
    """+1, -1 or 0 for each well [W]; 0 for a control without images."""
    return np.array([_LABELS.get(w.role, 0) for w in tiles.wells], np.intp) * tiles.present


def _seen(line: Line) -> Line:
    """Without the tiles of emptied wells."""
    if not line.tiles.emptied.any():
        return line
    tiles, scores = line.tiles.seen, _without_emptied(line.scored.scores, line.tiles)
    return replace(line, tiles=tiles, scored=line_scores(tiles, line.scored.labels, scores))


def _without_emptied(scores: WellScores, tiles: WellTiles) -> WellScores:
    """How far an emptied well lies off the axis stays with it: that its cells are gone is a finding, where along the
    axis it came to lie is none."""
    emptied = tiles.emptied
    return replace(
        scores,
        on=np.where(emptied, np.nan, scores.on),
        off=np.where(emptied, np.nan, scores.off),
        efficacy=np.where(emptied, np.nan, scores.efficacy),
        n_tiles=np.where(emptied, 0, scores.n_tiles),
        tile_on=scores.tile_on[~emptied[tiles.well]],
    )


def _fitted(name: str, tiles: WellTiles, parameters: AnalysisParameters, made: Preparation) -> Line:
    labels = control_labels(tiles)
    scores = score_axis(E2.name, tiles, labels, parameters)
    if scores is None:
        raise _too_few(f"cell line {name}", tiles, labels)
    about = made.about | {CELL_LINE: name, CONTROLS: control_sites(tiles, labels)}
    limit = off_axis_limit(scores.off_distance[labels != 0])
    if limit is not None:
        about[OFF_LIMIT] = repr(limit)
    scores = replace(scores, axis=replace(scores.axis, about=about))
    origin = EfficacyAxis(cell_line=name, hash=scores.axis.digest, fitted_on=THIS_SCREEN, anchors="held-out controls")
    return Line(tiles, line_scores(tiles, labels, scores), scores.axis, origin)


def _reused(name: str, tiles: WellTiles, earlier: EarlierAxes) -> Line:
    """Anchored by the screen's own controls, as no fit has seen them; by the stored anchors where there are too few of
    them, or where the axis was fitted on any of them."""
    fit, labels = earlier.of_line(name), control_labels(tiles)
    seen = has_seen(fit, tiles, labels)
    own = not seen and min(_count(labels, 1), _count(labels, -1)) >= FEWEST
    level = IN_SAMPLE if seen else SCREEN
    scores = applied(fit, tiles.vectors, tiles.well, labels, anchor_again=own, level=level)
    origin = EfficacyAxis(
        cell_line=name,
        hash=fit.digest,
        fitted_on=earlier.source,
        anchors="own controls" if own else "stored with the axis",
    )
    return Line(tiles, line_scores(tiles, labels, scores), scores.axis if own else fit, origin)


def _paper_lines(tiles: WellTiles, parameters: AnalysisParameters, made: Preparation) -> Efficacy:
    """One axis and one pair of anchors for all cell lines, cut into lines afterwards."""
    labels = control_labels(tiles)
    scores = score_axis(OPTIONS.name, tiles, labels, parameters)
    if scores is None:
        raise _too_few("the screen", tiles, labels)
    scores = replace(scores, axis=replace(scores.axis, about=made.about))
    origin = EfficacyAxis(cell_line=None, hash=scores.axis.digest, fitted_on=THIS_SCREEN, anchors="in-sample controls")
    found = {}
    for name in dict.fromkeys(w.cell_line for w in tiles.wells):
        wells = np.array([w.cell_line == name for w in tiles.wells], bool)
        part = tiles.of(wells)
        mine = _part(scores, wells, wells[tiles.well])
        found[name] = _seen(Line(part, line_scores(part, labels[wells], mine), scores.axis, origin))
    return Efficacy(found, line_scores(tiles.seen, labels, _without_emptied(scores, tiles)))


def _part(scores: WellScores, wells: Mask, tiles: Mask) -> WellScores:
    return replace(
        scores,
        on=scores.on[wells],
        off=scores.off[wells],
        off_distance=scores.off_distance[wells],
        efficacy=scores.efficacy[wells],
        n_tiles=scores.n_tiles[wells],
        tiles_right=scores.tiles_right[wells],
        tile_on=scores.tile_on[tiles],
    )


def _too_few(where: str, tiles: WellTiles, labels: Index) -> NotEnoughData:
    n = [_count(labels, side) for side in (1, -1)]
    detail = f"{where} has {n[0]} positive and {n[1]} negative control wells with usable images"
    failed = {w.well: why for w in tiles.wells if w.role in _LABELS and (why := tiles.images.why(w)) is not None}
    if failed:
        some = "; ".join(f"{well} {why}" for well, why in list(failed.items())[:3])
        detail += f" ({len(failed)} more failed: {some}; image_qc.exclude in the analysis parameters decides)"
    return NotEnoughData(f"{detail}; an axis with held-out controls needs at least two of each")


def _count(labels: Index, side: int) -> int:
    return int(np.sum(labels == side))
