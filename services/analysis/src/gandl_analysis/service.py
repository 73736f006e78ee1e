"""From the vectors of a screen to its answer: axis, efficacies, curves and quality, cell line by cell line.

Knows no queue, no database and no request; `gandl screen` and the analysis task call `analyse` with the same input and
get the same numbers.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from gandl_shared.errors import NotEnoughData
from gandl_shared.models import ModelCard
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import GroupQuality, Quality
from gandl_shared.schemas.screen import ParkedSite, ScreenLimits, WellScore
from gandl_shared.store import Profiles

from gandl_analysis.assay import ScoredLine, cell_line_probes, group_quality
from gandl_analysis.curves import efficacy_settings, fit_compounds
from gandl_analysis.result import Provenance, ScreenAnalysis
from gandl_analysis.stats.axes import score_wells
from gandl_analysis.stats.folds import grouped_folds

_LABELS = {Role.POSITIVE: 1, Role.NEGATIVE: -1}


@dataclass(frozen=True)
class ScreenInput:
    """All that an analysis needs. `wells` in plate map order, empty ones too; `limits` by plate."""

    name: str
    profiles: Profiles
    wells: Sequence[Well]
    parked: Sequence[ParkedSite]
    parameters: AnalysisParameters
    card: ModelCard
    model_id: str
    limits: Mapping[str, ScreenLimits]


def analyse(screen: ScreenInput) -> ScreenAnalysis:
    """Analyse a screen. Same input, same numbers, bit for bit on one machine.

    Raises NotEnoughData naming the cell line where an axis cannot be fitted or held-out controls cannot be scored.
    """
    lines = {name: _cell_line(name, wells, screen) for name, wells in _by_cell_line(screen.wells).items()}
    scored = {(s.plate, s.well): s for line in lines.values() for s in _well_scores(line)}
    wells = tuple(scored.get((w.plate, w.well)) or _unscored(w) for w in screen.wells)
    parameters = screen.parameters
    curves = fit_compounds(wells, efficacy_settings(seed=parameters.seed, alpha=parameters.alpha, screen=screen.name))
    return ScreenAnalysis(
        wells=wells,
        curves=tuple(curves),
        quality=_quality(lines, parameters.seed),
        parked=tuple(screen.parked),
        provenance=_provenance(screen, lines),
    )


def _by_cell_line(wells: Sequence[Well]) -> dict[str, list[Well]]:
    lines: dict[str, list[Well]] = defaultdict(list)
    for w in wells:
        if w.role is not Role.EMPTY:
            lines[w.cell_line].append(w)
    return lines


def _cell_line(name: str, wells: Sequence[Well], screen: ScreenInput) -> ScoredLine:
    profiles, place = screen.profiles, {(w.plate, w.well): i for i, w in enumerate(wells)}
    index = np.array([place.get(key, -1) for key in zip(profiles.plates, profiles.wells, strict=True)], np.intp)
    keep = index >= 0
    vectors, index = profiles.vectors[keep], index[keep]
    if not np.isfinite(vectors).all():
        bad = int(np.argmin(np.isfinite(vectors).all(axis=1)))
        raise NotEnoughData(f"the vectors of well {wells[index[bad]].well} hold NaN; embed this screen again")
    present = np.bincount(index, minlength=len(wells)) > 0
    labels = np.array([_LABELS.get(w.role, 0) for w in wells], np.intp) * present
    folds = grouped_folds([w.plate for w in wells], [w.well for w in wells], labels)
    if folds is None:
        n = {side: int(np.sum(labels == side)) for side in (1, -1)}
        detail = f"cell line {name} has {n[1]} positive and {n[-1]} negative control wells with images"
        raise NotEnoughData(f"{detail}; an axis with held-out controls needs at least two of each")
    scores = score_wells(vectors, index, labels, folds, whiten=screen.parameters.whitening)
    return ScoredLine(wells, labels, scores, vectors, index, list(profiles.sites[keep]))


def _well_scores(line: ScoredLine) -> list[WellScore]:
    s = line.scores
    rows = zip(line.wells, s.on, s.off, s.efficacy, s.off_distance, s.n_tiles, strict=True)
    return [
        _unscored(w).model_copy(
            update={
                "on": _number(on),
                "off": _number(off),
                "efficacy": _number(efficacy),
                "off_distance": _number(distance),
                "n_tiles": int(n),
            }
        )
        for w, on, off, efficacy, distance, n in rows
    ]


def _unscored(w: Well) -> WellScore:
    return WellScore(
        plate=w.plate,
        well=w.well,
        role=w.role.value,
        compound=w.compound,
        concentration_um=w.concentration_um,
        cell_line=w.cell_line,
        on=None,
        off=None,
        efficacy=None,
        n_tiles=0,
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _quality(lines: Mapping[str, ScoredLine], seed: int) -> Quality:
    plates: dict[str, GroupQuality] = {}
    for line in lines.values():
        for plate in dict.fromkeys(w.plate for w in line.wells):
            found = group_quality(line, np.array([w.plate == plate for w in line.wells]), seed=seed)
            # A plate that holds several cell lines shows the one with most wells on it.
            if plate not in plates or plates[plate].n_negative < found.n_negative:
                plates[plate] = found
    everywhere = {name: group_quality(line, np.ones(len(line.wells), bool), seed=seed) for name, line in lines.items()}
    probes = {name: cell_line_probes(line, seed=seed) for name, line in lines.items()}
    return Quality(cell_lines=everywhere, plates=plates, probes=probes)


def _provenance(screen: ScreenInput, lines: Mapping[str, ScoredLine]) -> Provenance:
    digests = "".join(line.scores.axis.digest for line in lines.values())
    plate_map = "\n".join(f"{w.plate},{w.well},{w.role},{w.compound},{w.concentration_um}" for w in screen.wells)
    sites = set(zip(screen.profiles.plates, screen.profiles.wells, screen.profiles.sites, strict=True))
    return Provenance(
        gandl_version=version("gandl-analysis"),
        screen_name=screen.name,
        model_id=screen.model_id,
        model=screen.card,
        parameters=screen.parameters,
        limits=dict(screen.limits),
        plate_map=hashlib.sha256(plate_map.encode()).hexdigest(),
        n_sites=len(sites),
        n_tiles=len(screen.profiles),
        axis_hash=hashlib.sha256(digests.encode()).hexdigest(),
    )
