"""Image QC of a screen: every site judged beside those of its cell line on its plate, and what that means for wells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.assay.image_qc import ImageLimits, focus_judged, site_flags
from gandl_shared.imaging.metrics import blank_tiles
from gandl_shared.plates import Well
from gandl_shared.schemas.analysis import ImageQcParameters
from gandl_shared.schemas.quality import FailedSite, PlateImages
from gandl_shared.store import Profiles
from numpy.typing import NDArray

Place = tuple[str, str]  # plate, well
Mask = NDArray[np.bool_]

SAID = "image QC: "


@dataclass(frozen=True)
class JudgedImages:
    """`plates` as quality.json has them; `dropped` [N] are the tiles that count in no score; `failed` says why a well
    has none (all its sites are left out); `emptied` are those of them without cells in any site."""

    plates: Mapping[str, PlateImages]
    dropped: Mask
    failed: Mapping[Place, str]
    emptied: frozenset[Place]

    def why(self, well: Well) -> str | None:
        """Why image QC leaves a well without a score."""
        return self.failed.get((well.plate, well.well))


UNJUDGED = JudgedImages({}, np.zeros(0, bool), {}, frozenset())
"""Where nothing is known of the images: nothing is left out."""


@dataclass(frozen=True)
class _Site:
    """A measured site: the row of its first tile, its place, the flags it got, whether its focus was judged."""

    row: int
    plate: str
    well: str
    site: str
    flags: tuple[str, ...] = ()
    focus: bool = False


def judge_images(profiles: Profiles, wells: Sequence[Well], rules: ImageQcParameters) -> JudgedImages:
    """Judge all sites of the `wells`, which should hold cells."""
    sites = _judged(profiles, wells, rules)
    by_well: dict[Place, list[_Site]] = defaultdict(list)
    for site in sites:
        by_well[site.plate, site.well].append(site)
    lost = {
        (w.plate, w.well): found
        for w in wells
        if (found := by_well.get((w.plate, w.well))) and all(_excluded(s, rules) for s in found)
    }
    gone = {(s.plate, s.well, s.site) for s in sites if _excluded(s, rules)}
    places = zip(profiles.plates, profiles.wells, profiles.sites, strict=True)
    dropped = np.fromiter((place in gone for place in places), bool, len(profiles))
    blank = _blank(profiles, dropped, rules.blank)
    return JudgedImages(
        plates=_plates(sites, profiles.plates[blank], rules),
        dropped=dropped | blank,
        failed={place: SAID + _reasons(found) for place, found in lost.items()},
        emptied=frozenset(place for place, found in lost.items() if all("empty" in s.flags for s in found)),
    )


def _blank(profiles: Profiles, dropped: Mask, least: float) -> Mask:
    """Tiles [N] without cells, in wells that have others which are not dropped."""
    number: dict[Place, int] = {}
    places = zip(profiles.plates, profiles.wells, strict=True)
    well = np.array([number.setdefault(place, len(number)) for place in places], np.intp)
    shown = np.where(dropped, -np.inf, profiles.contrast)
    return blank_tiles(shown, well, least) & ~dropped


def _judged(profiles: Profiles, wells: Sequence[Well], rules: ImageQcParameters) -> list[_Site]:
    """Every measured site with its flags, in plate map order."""
    order = {(w.plate, w.well): (i, w.cell_line) for i, w in enumerate(wells)}
    groups: dict[tuple[str, str], list[_Site]] = defaultdict(list)
    for site in _measured(profiles):
        if (site.plate, site.well) in order:
            groups[site.plate, order[site.plate, site.well][1]].append(site)
    judged = [site for group in groups.values() for site in _compared(group, profiles, rules)]
    return sorted(judged, key=lambda s: (order[s.plate, s.well][0], s.row))


def _compared(sites: Sequence[_Site], profiles: Profiles, rules: ImageQcParameters) -> list[_Site]:
    """Sites of one cell line on one plate, judged beside each other."""
    rows = [site.row for site in sites]
    structure, limits = profiles.structure[rows], _limits(rules)
    flags = site_flags(profiles.sharpness[rows], profiles.saturated[rows], structure, limits)
    focus = focus_judged(structure, limits)
    return [replace(site, flags=found, focus=focus) for site, found in zip(sites, flags, strict=True)]


def _measured(profiles: Profiles) -> list[_Site]:
    if not profiles.measured:
        return []
    first: dict[tuple[str, str, str], int] = {}
    for row, place in enumerate(zip(profiles.plates, profiles.wells, profiles.sites, strict=True)):
        first.setdefault(place, row)
    known = np.isfinite(profiles.sharpness[:, 0])
    return [_Site(row, *place) for place, row in first.items() if known[row]]


def _limits(rules: ImageQcParameters) -> ImageLimits:
    return ImageLimits(rules.structure, rules.saturation, rules.overexposed, rules.focus)


def _excluded(site: _Site, rules: ImageQcParameters) -> bool:
    return any(flag in rules.exclude for flag in site.flags)


def _reasons(sites: Sequence[_Site]) -> str:
    return ", ".join(dict.fromkeys(flag for site in sites for flag in site.flags))


def _plates(sites: Sequence[_Site], blank: NDArray[np.object_], rules: ImageQcParameters) -> dict[str, PlateImages]:
    """What each plate shows; `blank` names the plate of each blank tile."""
    by_plate: dict[str, list[_Site]] = defaultdict(list)
    for site in sites:
        by_plate[site.plate].append(site)
    return {
        plate: PlateImages(
            sites=len(found),
            focus_judged=all(s.focus for s in found),
            blank_tiles=int(np.sum(blank == plate)),
            failed=tuple(
                FailedSite.model_validate(
                    {"well": s.well, "site": s.site, "reasons": s.flags, "excluded": _excluded(s, rules)}
                )
                for s in found
                if s.flags
            ),
        )
        for plate, found in by_plate.items()
    }
