"""Every axis of an analysis by the registry: the efficacy axes as they were scored, and all others, fitted here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.axis.definition import E2, AxisDefinition, standard_axes
from gandl_science.axis.fitted import IN_SAMPLE, AxisFit
from gandl_science.axis.paper import OPTIONS
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import GroupQuality
from numpy.typing import NDArray

from gandl_analysis.pipeline.axes.efficacy import Efficacy, line_scores, score_axis
from gandl_analysis.pipeline.axes.stored_axes import CELL_LINE, Preparation
from gandl_analysis.pipeline.checks import FEWEST, definition, well_table
from gandl_analysis.pipeline.quality import ScoredLine, group_quality, thresholds_of
from gandl_analysis.pipeline.result import AxisScores, Numbers
from gandl_analysis.pipeline.tiles import Index, WellTiles

_CONFOUNDED = "no plate holds wells of both groups: what tells the plates apart tells the groups apart too"
_AS_THEY_ARE = "fitted on vectors that are not normalised by plate, as that takes away what tells cell lines apart"


@dataclass(frozen=True)
class NamedAxes:
    """What is told about the axes, and the fits of those that were fitted here, in the same order."""

    scores: tuple[AxisScores, ...]
    fits: tuple[AxisFit, ...]


@dataclass(frozen=True)
class AxisSpace:
    """Tiles as they are and normalised by plate, how they were made, and the place of their wells in the screen."""

    raw: WellTiles
    normalised: WellTiles
    made: Preparation
    place: Mapping[tuple[str, str], int]


def efficacy_axis_scores(
    efficacy: Efficacy, quality: Mapping[str, GroupQuality], space: AxisSpace, parameters: AnalysisParameters
) -> NamedAxes:
    """E2 of every cell line as it was scored; with the preset `paper` the one axis of all of them."""
    if efficacy.pooled is not None:
        one = efficacy.pooled
        definition = AxisDefinition(OPTIONS.name, E2.positive, E2.negative)
        return NamedAxes((_told(definition, None, one, space, parameters),), (one.scores.axis,))
    scores = tuple(
        _scores(E2, name, line.scored, line.fit, space).model_copy(update={"quality": quality[name]})
        for name, line in efficacy.lines.items()
    )
    return NamedAxes(scores, tuple(line.fit for line in efficacy.lines.values()))


def other_axes(space: AxisSpace, parameters: AnalysisParameters) -> NamedAxes:
    """E2-pooled and C2 where there are several cell lines (the paper's preset pools anyway), and the axes asked for."""
    cell_lines = [w.cell_line for w in space.raw.wells]
    standard = [d for d in standard_axes(cell_lines) if d is not E2]
    if parameters.preset == "paper":
        standard = [d for d in standard if d.name.startswith("C2")]
    return _named([*standard, *map(definition, parameters.axes)], space, parameters)


def file_stems(fits: Sequence[AxisFit]) -> dict[str, AxisFit]:
    """Fits by the stem of their file: name and cell line in letters that every file system takes, numbered where two
    would be equal."""
    stems: dict[str, AxisFit] = {}
    for fit in fits:
        line = fit.about.get(CELL_LINE, "")
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{fit.name}-{line}" if line else fit.name).strip("-.")[:80] or "axis"
        taken = {known.lower() for known in stems}
        name = next(n for n in _numbered(stem) if n.lower() not in taken)
        stems[name] = fit
    return stems


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}_{n}" for n in range(2, 100_000))


def _named(definitions: Sequence[AxisDefinition], space: AxisSpace, parameters: AnalysisParameters) -> NamedAxes:
    scores, fits = [], []
    for each in definitions:
        for found, fit in _fitted(each, space, parameters):
            scores.append(found)
            fits += [fit] if fit is not None else []
    return NamedAxes(tuple(scores), tuple(fits))


def _fitted(
    definition: AxisDefinition, space: AxisSpace, parameters: AnalysisParameters
) -> Iterator[tuple[AxisScores, AxisFit | None]]:
    """One axis, or one for each cell line."""
    between_lines = definition.name.startswith("C2")
    tiles = space.raw if between_lines else space.normalised
    lines = dict.fromkeys(w.cell_line for w in tiles.wells) if definition.within else [None]
    for line in lines:
        part = tiles if line is None else tiles.of_line(line)
        labels = definition.labels(well_table(part.wells)) * part.present
        scores = score_axis(definition.name, part, labels, parameters)
        if scores is None:
            yield _none(definition, line, labels), None
            continue
        about = space.made.about | ({} if line is None else {CELL_LINE: line})
        fit = replace(scores.axis, about=about | ({"normalisation": "none"} if between_lines else {}))
        scored = line_scores(part, labels, replace(scores, axis=fit))
        told = _told(definition, line, scored, space, parameters)
        if between_lines and parameters.normalisation != "none":
            told = told.model_copy(update={"note": _joined([told.note or "", _AS_THEY_ARE])})
        yield told, fit


def _told(
    definition: AxisDefinition, line: str | None, scored: ScoredLine, space: AxisSpace, parameters: AnalysisParameters
) -> AxisScores:
    """The wells and how well the groups are told apart."""
    everywhere = np.ones(len(scored.wells), bool)
    quality = group_quality(scored, everywhere, seed=parameters.seed, thresholds=thresholds_of(parameters))
    # The V-factor is about doses along the efficacy axis; along another it would mean nothing.
    told = _scores(definition, line, scored, scored.scores.axis, space)
    return told.model_copy(update={"quality": quality.model_copy(update={"v_factor": None})})


def _none(definition: AxisDefinition, line: str | None, labels: Index) -> AxisScores:
    n = [int(np.sum(labels == side)) for side in (1, -1)]
    note = f"no axis: {n[0]} positive and {n[1]} negative wells with images; it needs at least {FEWEST} of each"
    return _described(definition, line).model_copy(update={"note": note})


def _described(definition: AxisDefinition, line: str | None) -> AxisScores:
    sides = (definition.positive, definition.negative)
    positive, negative = ({n: tuple(sorted(v)) for n, v in side.columns.items()} for side in sides)
    return AxisScores(name=definition.name, cell_line=line, positive=positive, negative=negative)


def _scores(
    definition: AxisDefinition, line: str | None, scored: ScoredLine, fit: AxisFit, space: AxisSpace
) -> AxisScores:
    """The wells with vectors as columns."""
    s, labels = scored.scores, scored.labels
    known = np.flatnonzero(np.isfinite(s.on)).tolist()
    return _described(definition, line).model_copy(
        update={
            "hash": fit.digest,
            "note": _joined(_notes(scored)),
            "wells": tuple(space.place[scored.wells[i].plate, scored.wells[i].well] for i in known),
            "side": tuple(int(labels[i]) for i in known),
            "on": _numbers(s.on[known]),
            "scaled": _numbers(s.efficacy[known]),
            "off": _numbers(s.off[known]),
            "off_distance": _numbers(s.off_distance[known]),
        }
    )


def _notes(scored: ScoredLine) -> list[str]:
    level = scored.scores.axis.level
    if level == IN_SAMPLE:
        return ["in-sample: the axis has seen these wells; for comparison only"]
    sides = [{w.plate for w, label in zip(scored.wells, scored.labels, strict=True) if label == s} for s in (1, -1)]
    return [_CONFOUNDED] if level in ("row", "column", "well") and not sides[0] & sides[1] else []


def _joined(notes: Sequence[str]) -> str | None:
    return "; ".join(note for note in notes if note) or None


def _numbers(values: NDArray[np.float64]) -> Numbers:
    return tuple(float(v) if np.isfinite(v) else None for v in values)
