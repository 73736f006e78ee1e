"""Image quality control of a screen: which sites, tiles and wells cannot be used.

Each site is compared with the other sites of its cell line on its plate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.arrays import Mask
from gandl_science.assay.image_qc import ImageLimits, can_judge_focus, site_problems
from gandl_shared.imaging import blank_tiles
from gandl_shared.plates import Well
from gandl_shared.schemas.analysis import ImageQcParameters
from gandl_shared.schemas.quality import FailedSite, PlateImages
from gandl_shared.schemas.vocabulary import ImageReason
from gandl_shared.store import Profiles
from numpy.typing import NDArray

WellKey = tuple[str, str]  # plate, well

EXCLUSION_PREFIX = "image QC: "


@dataclass(frozen=True, kw_only=True)
class ImageQc:
    """The result of image quality control (QC).

    `plates` is the part of quality.json. `dropped` [N] marks the tiles that count in no score. `failed` names the
    problem of each well whose sites are all left out, and `emptied` are those of them without cells in any site.
    """

    plates: Mapping[str, PlateImages]
    dropped: Mask
    failed: Mapping[WellKey, str]
    emptied: frozenset[WellKey]

    def exclusion_reason(self, well: Well) -> str | None:
        """Return why a well has no score, or None where image quality control leaves it in."""
        return self.failed.get((well.plate, well.well))


NO_IMAGE_QC = ImageQc(plates={}, dropped=np.zeros(0, bool), failed={}, emptied=frozenset())
"""The result where the images were not measured: nothing is left out."""


@dataclass(frozen=True, kw_only=True)
class _Site:
    """A measured site: the index of its first tile in the profiles, its problems, and whether focus was judged."""

    tile: int
    plate: str
    well: str
    site: str
    problems: tuple[ImageReason, ...] = ()
    focus_judged: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Plate, well and site."""
        return self.plate, self.well, self.site

    @property
    def well_key(self) -> WellKey:
        """Plate and well."""
        return self.plate, self.well

    def is_excluded(self, parameters: ImageQcParameters) -> bool:
        """Return True if the site has a problem for which sites are left out."""
        return any(problem in parameters.exclude for problem in self.problems)


def check_images(profiles: Profiles, wells: Sequence[Well], parameters: ImageQcParameters) -> ImageQc:
    """Judge all sites of the `wells`, which should hold cells."""
    sites = _judged_sites(profiles, wells, parameters)
    by_well: dict[WellKey, list[_Site]] = defaultdict(list)
    for site in sites:
        by_well[site.well_key].append(site)
    failed = {key: group for key, group in by_well.items() if all(s.is_excluded(parameters) for s in group)}
    excluded = {site.key for site in sites if site.is_excluded(parameters)}
    keys = zip(profiles.plates, profiles.wells, profiles.sites, strict=True)
    dropped = np.fromiter((key in excluded for key in keys), bool, len(profiles))
    blank = _blank(profiles, dropped, parameters.blank)
    return ImageQc(
        plates=_plates(sites, profiles.plates[blank], parameters),
        dropped=dropped | blank,
        failed={key: EXCLUSION_PREFIX + _problem_names(group) for key, group in failed.items()},
        emptied=frozenset(key for key, group in failed.items() if all(ImageReason.EMPTY in s.problems for s in group)),
    )


def _blank(profiles: Profiles, dropped: Mask, least: float) -> Mask:
    """Return the tiles [N] without cells in wells that have other tiles which are not dropped."""
    index: dict[WellKey, int] = {}
    keys = zip(profiles.plates, profiles.wells, strict=True)
    well = np.array([index.setdefault(key, len(index)) for key in keys], np.intp)
    # A dropped tile must not count as the tile with cells that its well keeps.
    contrast = np.where(dropped, -np.inf, profiles.contrast)
    return blank_tiles(contrast, well, least) & ~dropped


def _judged_sites(profiles: Profiles, wells: Sequence[Well], parameters: ImageQcParameters) -> list[_Site]:
    """Return every measured site with its problems, in plate map order."""
    order = {(w.plate, w.well): (i, w.cell_line) for i, w in enumerate(wells)}
    groups: dict[tuple[str, str], list[_Site]] = defaultdict(list)
    for site in _measured_sites(profiles):
        if site.well_key in order:
            # Cell lines differ in shape and density, so sites are compared within plate and cell line.
            groups[site.plate, order[site.well_key][1]].append(site)
    sites = [site for group in groups.values() for site in _compared(group, profiles, parameters)]
    # Reports list failed sites as people read a plate map, not in the order of the groups.
    return sorted(sites, key=lambda s: (order[s.well_key][0], s.tile))


def _compared(sites: Sequence[_Site], profiles: Profiles, parameters: ImageQcParameters) -> list[_Site]:
    """Return the sites of one cell line on one plate with their problems."""
    tiles = [site.tile for site in sites]
    structure, limits = profiles.structure[tiles], _limits(parameters)
    problems = site_problems(profiles.sharpness[tiles], profiles.saturated[tiles], structure, limits)
    masks = {
        ImageReason.EMPTY: problems.empty,
        ImageReason.OVEREXPOSED: problems.overexposed,
        ImageReason.SATURATED: problems.saturated,
        ImageReason.BLURRED: problems.blurred,
    }
    focus_judged = can_judge_focus(structure, limits)
    return [
        replace(site, problems=tuple(r for r in ImageReason if masks[r][i]), focus_judged=focus_judged)
        for i, site in enumerate(sites)
    ]


def _measured_sites(profiles: Profiles) -> list[_Site]:
    if not profiles.has_site_metrics:
        return []
    # All tiles of a site carry its metrics, so its first tile is enough.
    first: dict[tuple[str, str, str], int] = {}
    for tile, key in enumerate(zip(profiles.plates, profiles.wells, profiles.sites, strict=True)):
        first.setdefault(key, tile)
    finite = np.isfinite(profiles.sharpness[:, 0])
    return [
        _Site(tile=tile, plate=plate, well=well, site=site)
        for (plate, well, site), tile in first.items()
        if finite[tile]
    ]


def _limits(parameters: ImageQcParameters) -> ImageLimits:
    return ImageLimits(
        structure=parameters.structure,
        saturation=parameters.saturation,
        overexposed=parameters.overexposed,
        focus=parameters.focus,
    )


def _problem_names(sites: Sequence[_Site]) -> str:
    return ", ".join(dict.fromkeys(problem for site in sites for problem in site.problems))


def _plates(
    sites: Sequence[_Site], blank: NDArray[np.object_], parameters: ImageQcParameters
) -> dict[str, PlateImages]:
    """Return what quality.json says of each plate; `blank` names the plate of each blank tile."""
    by_plate: dict[str, list[_Site]] = defaultdict(list)
    for site in sites:
        by_plate[site.plate].append(site)
    return {
        plate: PlateImages(
            sites=len(group),
            focus_judged=all(s.focus_judged for s in group),
            blank_tiles=int(np.sum(blank == plate)),
            failed=tuple(
                FailedSite(well=s.well, site=s.site, reasons=s.problems, excluded=s.is_excluded(parameters))
                for s in group
                if s.problems
            ),
        )
        for plate, group in by_plate.items()
    }
