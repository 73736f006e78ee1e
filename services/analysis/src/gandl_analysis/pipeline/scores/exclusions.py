"""What people left out of an analysis: its vectors never reach an axis, and everything about it is kept and marked.

A plate, a well and a site are taken away before anything is computed. Afterwards their wells are scored by the axes
that were fitted without them, so that a curve can show the points that do not count. A dose and a point are taken out
of the curve only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from gandl_science.arrays import Float, Mask
from gandl_science.axis.application import apply_axis
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import Exclusion, ExclusionLevel
from gandl_shared.schemas.screen import SiteScore, WellScore

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.quality.treatments import treatment_doses
from gandl_analysis.pipeline.scores.sites import site_without_score
from gandl_analysis.pipeline.tiles import WellTiles, normalised_beside, tiles_of

WellKey = tuple[str, str]
SiteKey = tuple[str, str, str]
_MAX_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What people left out of a screen, with the text that stands beside it.

    `wells` and `sites` count nowhere; `points` are wells that count in no curve. `counted_tiles` [N] marks the tiles of
    all others.
    """

    wells: Mapping[WellKey, str] = field(default_factory=dict)
    sites: Mapping[SiteKey, str] = field(default_factory=dict)
    points: Mapping[WellKey, str] = field(default_factory=dict)
    counted_tiles: Mask = field(default_factory=lambda: np.ones(0, bool))

    def without(self, screen: ScreenInput) -> ScreenInput:
        """Return the screen without the vectors that do not count.

        A cell line without any well that counts is treated as if its wells were empty.
        """
        if not self.wells and not self.sites:
            return screen
        counted = {w.cell_line for w in screen.used_wells if (w.plate, w.well) not in self.wells}
        wells = [w if w.cell_line in counted else replace(w, role=Role.EMPTY) for w in screen.wells]
        return replace(screen, profiles=screen.profiles.where(self.counted_tiles), wells=wells)

    def mark_wells(self, wells: Iterable[WellScore], screen: ScreenInput) -> tuple[WellScore, ...]:
        """Return the wells with the text beside those that were left out, whatever image QC said of them."""
        texts = {**self.points, **self.wells}
        if not texts:
            return tuple(wells)
        return tuple(
            score.model_copy(update={"excluded": texts[key], "role": well.role})
            if (key := (well.plate, well.well)) in texts
            else score
            for score, well in zip(wells, screen.wells, strict=True)
        )

    def mark_sites(self, sites: Iterable[SiteScore], screen: ScreenInput) -> tuple[SiteScore, ...]:
        """Return the sites with those that were left out among them, without scores, in the order of the profiles."""
        profiles = screen.profiles
        order = dict.fromkeys(zip(profiles.plates, profiles.wells, profiles.sites, strict=True))
        by_well = {(well.plate, well.well): well for well in screen.used_wells}
        scores = {(site.plate, site.well, site.site): site for site in sites}
        for key in order:
            text = self.sites.get(key) or self.wells.get(key[:2])
            if text is not None and key[:2] in by_well:
                scores[key] = site_without_score(by_well[key[:2]], key[2]).model_copy(update={"excluded": text})
        return tuple(scores[key] for key in order if key in scores)

    def efficacies(
        self, screen: ScreenInput, counted: WellTiles, cell_lines: Mapping[str, ScoredCellLine]
    ) -> dict[WellKey, float]:
        """Return the efficacy of each well that counts nowhere, by the axes that were fitted without it.

        `counted` are the tiles that count, by whose controls a normalisation by plate is done. A well without two such
        controls on its plate has no efficacy then.
        """
        if not self.wells:
            return {}
        wells = [w for w in screen.used_wells if (w.plate, w.well) in self.wells]
        own = np.array([key in self.wells for key in zip(screen.profiles.plates, screen.profiles.wells, strict=True)])
        # A well may be left out because its vectors are damaged.
        part = screen.profiles.where(own & np.isfinite(screen.profiles.vectors).all(axis=1))
        others = normalised_beside(counted, tiles_of(part, wells), screen.parameters.normalisation)
        efficacies: dict[WellKey, float] = {}
        for name, cell_line in cell_lines.items():
            tiles = others.of_cell_line(name)
            if len(tiles.well):
                labels = np.zeros(len(tiles.wells), np.intp)
                scores = apply_axis(cell_line.scores.fit, tiles.vectors, tiles.well, labels)
                pairs = zip(tiles.wells, scores.efficacy.tolist(), strict=True)
                efficacies |= {(w.plate, w.well): value for w, value in pairs if np.isfinite(value)}
        return efficacies

    def spread(self, values: Float) -> Float:
        """Return the values of the tiles that count at the rows of all tiles [N], and NaN at the others."""
        if self.counted_tiles.all():
            return values
        spread = np.full(len(self.counted_tiles), np.nan)
        spread[self.counted_tiles] = values
        return spread


def left_out(screen: ScreenInput) -> LeftOut:
    """Return what the parameters of a screen leave out.

    Raises Invalid naming each plate, well, site or dose that the screen does not have.
    """
    exclusions, profiles = screen.parameters.exclusions or (), screen.profiles
    if not exclusions:
        return LeftOut(counted_tiles=np.ones(len(profiles), bool))
    keys = list(zip(profiles.plates, profiles.wells, profiles.sites, strict=True))
    check_exclusions(exclusions, screen.wells, set(keys))
    whole = {(w.plate, w.well): text for w in screen.used_wells if (text := _text_of_well(w, exclusions)) is not None}
    sites = {_site_key(e): e.text for e in exclusions if e.level is ExclusionLevel.SITE}
    remaining = {key[:2] for key in keys if key not in sites}
    # A well all of whose fields are left out is left out itself.
    whole |= {key[:2]: text for key, text in sites.items() if key[:2] not in remaining and key[:2] not in whole}
    counts = np.fromiter((key[:2] not in whole and key not in sites for key in keys), bool, len(keys))
    return LeftOut(wells=whole, sites=sites, points=_points(exclusions, screen.wells), counted_tiles=counts)


def wells_that_count(wells: Iterable[Well], exclusions: Sequence[Exclusion]) -> list[Well]:
    """Return the wells that are not left out with their plate or by themselves."""
    return [well for well in wells if _text_of_well(well, exclusions) is None]


def check_exclusions(
    exclusions: Sequence[Exclusion], wells: Sequence[Well], sites: Iterable[SiteKey] | None = None
) -> None:
    """Raise Invalid with a problem for each thing that a screen does not have; `sites` None: they are not checked."""
    problems = [
        Problem(problem, field=f"exclusions.{i}")
        for i, exclusion in enumerate(exclusions)
        if (problem := item_problem(exclusion, wells, sites)) is not None
    ]
    raise_if(problems, Invalid, "the exclusions do not suit this screen")


def item_problem(item: Exclusion, wells: Sequence[Well], sites: Iterable[SiteKey] | None) -> str | None:
    """Return why a thing cannot be left out of these wells, or None if it can."""
    if item.level is ExclusionLevel.DOSE:
        return _dose_problem(item, wells)
    of_plate = [w for w in wells if w.plate == item.plate]
    if not of_plate:
        plates = ", ".join(list(dict.fromkeys(w.plate for w in wells))[:_MAX_NAMED])
        return f"there is no plate '{item.plate}'; the plate map has {plates}"
    return None if item.level is ExclusionLevel.PLATE else _well_problem(item, of_plate, sites)


def _well_problem(item: Exclusion, of_plate: Sequence[Well], sites: Iterable[SiteKey] | None) -> str | None:
    well = next((w for w in of_plate if w.well == item.well), None)
    if well is None or well.role is Role.EMPTY:
        return f"plate {item.plate} has no well '{item.well}' with cells; write the name as in the plate map"
    if item.level is ExclusionLevel.POINT and well.role is not Role.TREATMENT:
        return f"well {item.well} of plate {item.plate} is a {well.role} and on no curve; exclude the well"
    if item.level is ExclusionLevel.SITE and sites is not None and _site_key(item) not in sites:
        return f"well {item.well} of plate {item.plate} has no site '{item.site}' with vectors"
    return None


def _dose_problem(item: Exclusion, wells: Sequence[Well]) -> str | None:
    treated = [w for w in wells if w.role is Role.TREATMENT and w.compound == item.compound]
    of_line = [w for w in treated if item.cell_line in (None, w.cell_line)]
    if not of_line:
        line = f" in cell line '{item.cell_line}'" if item.cell_line and treated else ""
        return f"there is no compound '{item.compound}'{line}"
    if not _wells_of_dose(item, wells):
        doses = ", ".join(f"{dose:g}" for dose in sorted({w.concentration_um or 0.0 for w in of_line}))
        return f"'{item.compound}' has no dose of {item.concentration_um:g} µM; its doses are {doses}"
    return None


def _wells_of_dose(item: Exclusion, wells: Sequence[Well]) -> list[Well]:
    """Return the wells of a dose, named by the plate map's value or by the value that the curve shows for it."""
    merged = treatment_doses(wells)
    of_compound = [
        (well, dose)
        for well, dose in zip(wells, merged, strict=True)
        if well.role is Role.TREATMENT and well.compound == item.compound and well.concentration_um is not None
    ]
    named = {dose for well, dose in of_compound if item.concentration_um in (well.concentration_um, dose)}
    return [well for well, dose in of_compound if dose in named and item.cell_line in (None, well.cell_line)]


def _points(exclusions: Sequence[Exclusion], wells: Sequence[Well]) -> dict[WellKey, str]:
    points: dict[WellKey, str] = {}
    for exclusion in exclusions:
        if exclusion.level is ExclusionLevel.DOSE:
            points |= {(w.plate, w.well): exclusion.text for w in _wells_of_dose(exclusion, wells)}
        elif exclusion.level is ExclusionLevel.POINT:
            points[str(exclusion.plate), str(exclusion.well)] = exclusion.text
    return points


def _text_of_well(well: Well, exclusions: Sequence[Exclusion]) -> str | None:
    """Return the text of the exclusion of a well or of its plate; the newest one speaks."""
    texts = [
        e.text
        for e in exclusions
        if e.plate == well.plate
        and (e.level is ExclusionLevel.PLATE or (e.level is ExclusionLevel.WELL and e.well == well.well))
    ]
    return texts[-1] if texts else None


def _site_key(item: Exclusion) -> SiteKey:
    return str(item.plate), str(item.well), str(item.site)
