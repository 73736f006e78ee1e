"""From the vectors of a screen to its answer: axes, efficacies, curves and quality, cell line by cell line.

Knows no queue, no database and no request; `gandl screen`, `gandl analyse` and the analysis task call `analyse` with
the same input and get the same numbers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from gandl_science.axis.fitted import IN_SAMPLE
from gandl_shared.models import ModelCard
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.quality import GroupQuality, Quality
from gandl_shared.schemas.screen import ParkedSite, WellScore
from gandl_shared.store import Profiles
from threadpoolctl import threadpool_limits

from gandl_analysis.pipeline.axes.efficacy import Line, score_efficacy
from gandl_analysis.pipeline.axes.other_axes import AxisSpace, efficacy_axis_scores, file_stems, other_axes
from gandl_analysis.pipeline.axes.stored_axes import EarlierAxes, Preparation, off_limit_of, preparation
from gandl_analysis.pipeline.checks import check_axes
from gandl_analysis.pipeline.curves import efficacy_settings, fit_compounds, off_limit
from gandl_analysis.pipeline.image_qc import JudgedImages, judge_images
from gandl_analysis.pipeline.quality import cell_line_probes, group_quality, thresholds_of
from gandl_analysis.pipeline.result import Analysed, Provenance, ScreenAnalysis
from gandl_analysis.pipeline.sites import site_scores, tile_efficacy
from gandl_analysis.pipeline.tiles import normalised, tiles_of

_PAPER = (
    "preset paper: one axis for all cell lines on raw vectors, fitted on and scaled by these very controls. Every "
    "figure is in-sample: it flatters, unseen controls fall short of it, and it is for comparison only."
)


@dataclass(frozen=True)
class ScreenInput:
    """All that an analysis needs. `wells` in plate map order, empty ones too; `limits` by plate, `limits_from` as of
    `axis_reuse.limits_text`; `earlier` efficacy axes to score by instead of fitting one."""

    name: str
    profiles: Profiles
    wells: Sequence[Well]
    parked: Sequence[ParkedSite]
    parameters: AnalysisParameters
    card: ModelCard
    model_id: str
    limits: Mapping[str, IntensityLimits]
    limits_from: str = "plate"
    earlier: EarlierAxes | None = None

    @property
    def used(self) -> list[Well]:
        """The wells that hold cells."""
        return [w for w in self.wells if w.role is not Role.EMPTY]

    @property
    def made(self) -> Preparation:
        """How its vectors were made."""
        return preparation(self.card, self.model_id, self.limits_from, self.parameters)


def analyse(screen: ScreenInput) -> Analysed:
    """Analyse a screen. Same input, same numbers, bit for bit on one machine, however many cores are free.

    Raises NotEnoughData naming the cell line where an axis cannot be fitted or held-out controls cannot be scored, and
    Invalid where axes that were asked for, or those of an earlier screen, do not fit this one.
    """
    # The matrices are small: BLAS threads gain nothing, and wait for each other twenty times as long on a busy machine.
    with threadpool_limits(1, user_api="blas"):
        return _analysed(screen)


def _analysed(screen: ScreenInput) -> Analysed:
    parameters, used = screen.parameters, screen.used
    check_axes(parameters, used, screen.made, screen.earlier)
    images = judge_images(screen.profiles, used, parameters.image_qc)
    raw = tiles_of(screen.profiles, used, images)
    tiles = normalised(raw, parameters.normalisation)
    scored_lines = score_efficacy(tiles, parameters, screen.made, screen.earlier)
    lines = scored_lines.lines
    scored = {(s.plate, s.well): s for line in lines.values() for s in _well_scores(line, images)}
    wells = tuple(scored.get((w.plate, w.well)) or _unscored(w) for w in screen.wells)
    quality = _quality(lines, parameters)
    space = AxisSpace(raw.seen, tiles.seen, screen.made, {(w.plate, w.well): i for i, w in enumerate(screen.wells)})
    efficacy = efficacy_axis_scores(scored_lines, quality.cell_lines, space, parameters)
    others = other_axes(space, parameters)
    analysis = ScreenAnalysis(
        wells=wells,
        curves=_curves(wells, screen, lines),
        quality=quality.model_copy(update={"images": images.plates}),
        parked=tuple(screen.parked),
        provenance=_provenance(screen, lines),
        axes=(*efficacy.scores, *others.scores),
    )
    fits = file_stems([*efficacy.fits, *others.fits])
    return Analysed(analysis, site_scores(lines.values()), tile_efficacy(lines.values(), len(screen.profiles)), fits)


def _curves(wells: Sequence[WellScore], screen: ScreenInput, lines: Mapping[str, Line]) -> tuple[Curve, ...]:
    parameters = screen.parameters
    settings = efficacy_settings(seed=parameters.seed, alpha=parameters.alpha, screen=screen.name)
    return tuple(fit_compounds(wells, settings, {name: _off_limit(wells, name, line) for name, line in lines.items()}))


def _off_limit(wells: Sequence[WellScore], cell_line: str, line: Line) -> float | None:
    """Of the screen's own held-out controls; that of the axis where there are too few, or the axis has seen them, as
    controls lie nearer to an axis of their own."""
    stored = off_limit_of(line.fit)
    if line.scored.scores.axis.level == IN_SAMPLE:
        return stored
    own = off_limit(wells, cell_line)
    return stored if own is None else own


def _well_scores(line: Line, images: JudgedImages) -> list[WellScore]:
    s = line.scored.scores
    rows = zip(line.scored.wells, s.on, s.off, s.efficacy, s.off_distance, s.n_tiles, strict=True)
    return [
        _unscored(w).model_copy(
            update={
                "on": _number(on),
                "off": _number(off),
                "efficacy": _number(efficacy),
                "off_distance": _number(distance),
                "n_tiles": int(n),
                "excluded": images.why(w),
            }
        )
        for w, on, off, efficacy, distance, n in rows
    ]


def _unscored(w: Well) -> WellScore:
    return WellScore(
        plate=w.plate,
        well=w.well,
        role=w.role,
        compound=w.compound,
        concentration_um=w.concentration_um,
        cell_line=w.cell_line,
        on=None,
        off=None,
        efficacy=None,
        n_tiles=0,
        metadata=dict(w.metadata),
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _quality(lines: Mapping[str, Line], parameters: AnalysisParameters) -> Quality:
    seed, thresholds = parameters.seed, thresholds_of(parameters)
    scored = {name: line.scored for name, line in lines.items()}
    by_plate: dict[str, dict[str, GroupQuality]] = {}
    for name, line in scored.items():
        for plate in dict.fromkeys(w.plate for w in line.wells):
            on_plate = np.array([w.plate == plate for w in line.wells])
            found = group_quality(line, on_plate, seed=seed, thresholds=thresholds)
            by_plate.setdefault(plate, {})[name] = found.model_copy(update={"cell_line": name})
    plates = {
        plate if len(found) == 1 else f"{plate} ({name})": quality
        for plate, found in by_plate.items()
        for name, quality in found.items()
    }
    everywhere = {
        name: group_quality(line, np.ones(len(line.wells), bool), seed=seed, thresholds=thresholds)
        for name, line in scored.items()
    }
    probes = {name: cell_line_probes(line, seed=seed) for name, line in scored.items()}
    return Quality(note=_note(lines, parameters), cell_lines=everywhere, plates=plates, probes=probes)


def _note(lines: Mapping[str, Line], parameters: AnalysisParameters) -> str | None:
    """What a reader of the figures must know first."""
    if parameters.preset == "paper":
        return _PAPER
    earlier = [line for line in lines.values() if line.origin.anchors in ("own controls", "stored with the axis")]
    if not earlier:
        return None
    said = [f"{line.origin.cell_line}: {line.origin.anchors}" for line in earlier]
    seen = [line.origin.cell_line for line in earlier if line.scored.scores.axis.level == IN_SAMPLE]
    warning = (
        f" The axis was fitted on controls of {', '.join(map(str, seen))} that are here again: in-sample."
        if seen
        else ""
    )
    return f"Scored by axes of {earlier[0].origin.fitted_on}; anchors, {'; '.join(said)}.{warning}"


def _provenance(screen: ScreenInput, lines: Mapping[str, Line]) -> Provenance:
    digests = "".join(dict.fromkeys(line.fit.digest for line in lines.values()))
    plate_map = "\n".join(f"{w.plate},{w.well},{w.role},{w.compound},{w.concentration_um}" for w in screen.wells)
    sites = set(zip(screen.profiles.plates, screen.profiles.wells, screen.profiles.sites, strict=True))
    return Provenance(
        gandl_version=version("gandl-analysis"),
        screen_name=screen.name,
        model_id=screen.model_id,
        model=screen.card,
        parameters=screen.parameters,
        limits=dict(screen.limits),
        limits_from=screen.limits_from,
        plate_map=hashlib.sha256(plate_map.encode()).hexdigest(),
        n_sites=len(sites),
        n_tiles=len(screen.profiles),
        axis_hash=hashlib.sha256(digests.encode()).hexdigest(),
        efficacy_axes=tuple({line.origin.hash: line.origin for line in lines.values()}.values()),
    )
