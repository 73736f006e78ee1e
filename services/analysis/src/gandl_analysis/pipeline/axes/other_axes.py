"""Every axis of an analysis as it is reported: the efficacy axes as they were scored, and all others, fitted here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Float, Index
from gandl_science.axis.definition import E2, E2_PAPER, AxisDefinition, AxisKind, standard_axes
from gandl_science.axis.fitted import AxisFit
from gandl_science.axis.provenance import HeldOut
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import GroupQuality

from gandl_analysis.pipeline.axes.definitions import MIN_WELLS, axis_definition, well_table
from gandl_analysis.pipeline.axes.efficacy import Efficacy, score_axis, scored_on_this_screen
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.inputs import Preparation
from gandl_analysis.pipeline.quality.controls import group_quality, thresholds_of
from gandl_analysis.pipeline.result import AxisScores, Numbers
from gandl_analysis.pipeline.tiles import WellTiles

_CONFOUNDED = "no plate holds wells of both groups: what tells the plates apart tells the groups apart too"
_RAW_VECTORS = "fitted on vectors that are not normalised by plate, as that takes away what tells cell lines apart"
_IN_SAMPLE = "in-sample: the axis has seen these wells; for comparison only"
_WITHIN_PLATES = (HeldOut.ROW, HeldOut.COLUMN, HeldOut.WELL)


@dataclass(frozen=True)
class AxisTiles:
    """The tiles along an axis: rows of the profiles, and positions, which are -1 and +1 at the means of its groups."""

    name: str
    rows: Index
    scaled: Float


@dataclass(frozen=True)
class NamedAxes:
    """What an analysis reports of each axis, and fits and tiles of those that could be fitted, in the same order."""

    scores: tuple[AxisScores, ...]
    fits: tuple[AxisFit, ...]
    tiles: tuple[AxisTiles, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AxisSpace:
    """The tiles as they are and normalised by plate, how they were prepared, and the index of each (plate, well)."""

    raw: WellTiles
    normalised: WellTiles
    preparation: Preparation
    well_index: Mapping[tuple[str, str], int]


def efficacy_axis_scores(
    efficacy: Efficacy, quality: Mapping[str, GroupQuality], space: AxisSpace, parameters: AnalysisParameters
) -> NamedAxes:
    """Return E2 of every cell line as it was scored, or with the preset `paper` the one axis of all of them."""
    if efficacy.pooled is not None:
        pooled = _with_quality(E2_PAPER, None, efficacy.pooled, space, parameters)
        return NamedAxes((pooled,), (efficacy.pooled.stored_fit,))
    scores = tuple(
        _scores(E2, name, cell_line, space).model_copy(update={"quality": quality[name]})
        for name, cell_line in efficacy.cell_lines.items()
    )
    return NamedAxes(scores, tuple(cell_line.stored_fit for cell_line in efficacy.cell_lines.values()))


def other_axes(space: AxisSpace, parameters: AnalysisParameters) -> NamedAxes:
    """Fit E2-pooled and C2 where there are several cell lines, and the axes that the parameters name."""
    standard = [d for d in standard_axes([w.cell_line for w in space.raw.wells]) if d is not E2]
    if parameters.preset == "paper":  # its efficacy axis is pooled already
        standard = [d for d in standard if d.kind is AxisKind.CELL_LINES]
    scores, fits, tiles = [], [], []
    for definition in (*standard, *map(axis_definition, parameters.axes)):
        for axis_scores, scored in _fitted(definition, space, parameters):
            scores.append(axis_scores)
            if scored is not None:
                fits.append(scored.stored_fit)
                tiles.append(_tiles(definition.name, scored))
    return NamedAxes(tuple(scores), tuple(fits), tuple(tiles))


def tile_positions(axes: Iterable[AxisTiles], tiles: int) -> dict[str, Float]:
    """Return the positions [N] of the `tiles` of the profiles by `axis:` and the name of the axis; NaN for one that
    it does not score."""
    positions: dict[str, Float] = {}
    for axis in axes:
        # Within cell lines, an axis has the same name in each of them, and each tile is in one.
        positions.setdefault(f"axis:{axis.name}", np.full(tiles, np.nan))[axis.rows] = axis.scaled
    return positions


def file_stems(fits: Sequence[AxisFit]) -> dict[str, AxisFit]:
    """Return the fits by the stem of their file: name and cell line in letters that every file system accepts.

    Stems that would be equal are numbered.
    """
    stems: dict[str, AxisFit] = {}
    for fit in fits:
        name = f"{fit.name}-{fit.cell_line}" if fit.cell_line else fit.name
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "axis"
        # Some file systems do not distinguish upper and lower case.
        used = {other.lower() for other in stems}
        stems[next(n for n in _numbered(stem) if n.lower() not in used)] = fit
    return stems


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}_{n}" for n in range(2, 100_000))


def _fitted(
    definition: AxisDefinition, space: AxisSpace, parameters: AnalysisParameters
) -> Iterator[tuple[AxisScores, ScoredCellLine | None]]:
    """Fit one axis, or one per cell line."""
    on_raw_vectors = definition.kind.on_raw_vectors
    all_tiles = space.raw if on_raw_vectors else space.normalised
    cell_lines = dict.fromkeys(w.cell_line for w in all_tiles.wells) if definition.within else [None]
    # Labels are taken per cell line, so that both groups of an axis belong to the same cells.
    for cell_line in cell_lines:
        tiles = all_tiles if cell_line is None else all_tiles.of_cell_line(cell_line)
        labels = definition.labels(well_table(tiles.wells)) * tiles.present
        scores = score_axis(definition.name, tiles, labels, parameters)
        if scores is None:
            yield _without_fit(definition, cell_line, labels), None
            continue
        provenance = space.preparation.provenance(cell_line=cell_line, on_raw_vectors=on_raw_vectors)
        scored = scored_on_this_screen(tiles, labels, scores, provenance)
        axis_scores = _with_quality(definition, cell_line, scored, space, parameters)
        if on_raw_vectors and parameters.normalisation != "none":
            axis_scores = axis_scores.model_copy(update={"note": _joined([axis_scores.note or "", _RAW_VECTORS])})
        yield axis_scores, scored


def _with_quality(
    definition: AxisDefinition,
    cell_line: str | None,
    scored: ScoredCellLine,
    space: AxisSpace,
    parameters: AnalysisParameters,
) -> AxisScores:
    """Return the wells of an axis, and how well its groups are separated."""
    everywhere = np.ones(len(scored.wells), bool)
    quality = group_quality(scored, everywhere, seed=parameters.seed, thresholds=thresholds_of(parameters))
    # The V-factor is about doses along the efficacy axis; along another axis it would mean nothing.
    quality = quality.model_copy(update={"v_factor": None})
    return _scores(definition, cell_line, scored, space).model_copy(update={"quality": quality})


def _without_fit(definition: AxisDefinition, cell_line: str | None, labels: Index) -> AxisScores:
    n = [int(np.sum(labels == side)) for side in (1, -1)]
    note = f"no axis: {n[0]} positive and {n[1]} negative wells with images; it needs at least {MIN_WELLS} of each"
    return _described(definition, cell_line).model_copy(update={"note": note})


def _described(definition: AxisDefinition, cell_line: str | None) -> AxisScores:
    sides = (definition.positive, definition.negative)
    positive, negative = ({n: tuple(sorted(v)) for n, v in side.columns.items()} for side in sides)
    return AxisScores(name=definition.name, cell_line=cell_line, positive=positive, negative=negative)


def _scores(definition: AxisDefinition, cell_line: str | None, scored: ScoredCellLine, space: AxisSpace) -> AxisScores:
    """Return the wells with vectors as columns."""
    s, labels = scored.scores, scored.labels
    finite = np.flatnonzero(np.isfinite(s.on)).tolist()
    return _described(definition, cell_line).model_copy(
        update={
            "hash": scored.stored_fit.digest,
            "note": _joined(_notes(scored)),
            "wells": tuple(space.well_index[scored.wells[i].plate, scored.wells[i].well] for i in finite),
            "side": tuple(int(labels[i]) for i in finite),
            "on": _numbers(s.on[finite]),
            "scaled": _numbers(s.efficacy[finite]),
            "off": _numbers(s.off[finite]),
            "off_distance": _numbers(s.off_distance[finite]),
        }
    )


def _tiles(name: str, scored: ScoredCellLine) -> AxisTiles:
    scores = scored.scores
    return AxisTiles(name, scored.tiles.profile_rows, scores.anchors.efficacy(scores.tile_on))


def _notes(scored: ScoredCellLine) -> list[str]:
    if scored.in_sample:
        return [_IN_SAMPLE]
    sides = [{w.plate for w, label in zip(scored.wells, scored.labels, strict=True) if label == s} for s in (1, -1)]
    confounded = scored.scores.fit.held_out in _WITHIN_PLATES and not sides[0] & sides[1]
    return [_CONFOUNDED] if confounded else []


def _joined(notes: Sequence[str]) -> str | None:
    return "; ".join(note for note in notes if note) or None


def _numbers(values: Float) -> Numbers:
    return tuple(float(v) if np.isfinite(v) else None for v in values)
