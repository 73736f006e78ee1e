"""Image quality control of a screen: which sites, channels, tiles and wells cannot be used.

Each site is compared with the other sites of its cell line on its plate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from gandl_science.arrays import Mask
from gandl_science.assay.image_qc import ChannelMetrics, ImageLimits, can_judge_focus, site_problems
from gandl_shared.imaging import blank_tiles
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import ImageQcParameters
from gandl_shared.schemas.quality import ChannelImages, FailedSite, PlateImages
from gandl_shared.schemas.vocabulary import ImageReason
from gandl_shared.store import Profiles
from numpy.typing import NDArray

WellKey = tuple[str, str]  # plate, well

EXCLUSION_PREFIX = "image QC: "
_LOSSES = {ImageReason.DEAD: "is dead", ImageReason.COPY: "shows the pixels of another channel"}
_SIDES = {Role.POSITIVE: 1, Role.NEGATIVE: -1}


@dataclass(frozen=True, kw_only=True)
class JudgedSite:
    """A measured site: the index of its first tile in the profiles, its well, and its problems.

    `channels` names the channels with each problem. `excluded` says that it counts in no score, and `focus_judged` that
    there were enough sites to judge its focus.
    """

    tile: int
    of_well: Well
    site: str
    problems: tuple[ImageReason, ...] = ()
    channels: Mapping[ImageReason, tuple[str, ...]] = field(default_factory=dict)
    excluded: bool = False
    focus_judged: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Plate, well and site."""
        return self.of_well.plate, self.of_well.well, self.site

    @property
    def well_key(self) -> WellKey:
        """Plate and well."""
        return self.of_well.plate, self.of_well.well

    @property
    def record(self) -> FailedSite:
        """The site as quality.json holds it."""
        return FailedSite(
            well=self.of_well.well,
            site=self.site,
            reasons=self.problems,
            excluded=self.excluded,
            channels=self.channels,
        )


@dataclass(frozen=True, kw_only=True)
class ImageQc:
    """The result of image quality control (QC).

    `plates` is the part of quality.json. `sites` are all measured sites in plate map order. `dropped` [N] marks the
    tiles that count in no score. `failed` names the problem of each well whose sites are all left out, and `emptied`
    are those of them without cells in any site.
    """

    plates: Mapping[str, PlateImages]
    dropped: Mask
    failed: Mapping[WellKey, str]
    emptied: frozenset[WellKey]
    sites: tuple[JudgedSite, ...] = ()

    @property
    def empty_sites(self) -> frozenset[tuple[str, str, str]]:
        """Plate, well and site of the fields without cells."""
        return frozenset(site.key for site in self.sites if ImageReason.EMPTY in site.problems)

    def exclusion_reason(self, well: Well) -> str | None:
        """Return why a well has no score, or None where image quality control leaves it in."""
        return self.failed.get((well.plate, well.well))


NO_IMAGE_QC = ImageQc(plates={}, dropped=np.zeros(0, bool), failed={}, emptied=frozenset())
"""The result where the images were not measured: nothing is left out."""


def check_images(
    profiles: Profiles, wells: Sequence[Well], parameters: ImageQcParameters, channels: Sequence[str] = ()
) -> ImageQc:
    """Judge all sites of the `wells`, which should hold cells; `channels` are the names of the channels, in order."""
    n_channels = profiles.sharpness.shape[1]
    names = channels if len(channels) == n_channels else tuple(f"channel {n + 1}" for n in range(n_channels))
    sites = _with_exclusion(_judged_sites(profiles, wells, parameters, names), parameters)
    by_well: dict[WellKey, list[JudgedSite]] = defaultdict(list)
    for site in sites:
        by_well[site.well_key].append(site)
    failed = {key: group for key, group in by_well.items() if all(s.excluded for s in group)}
    excluded = {site.key for site in sites if site.excluded}
    keys = zip(profiles.plates, profiles.wells, profiles.sites, strict=True)
    dropped = np.fromiter((key in excluded for key in keys), bool, len(profiles))
    blank = _blank(profiles, dropped, parameters.blank)
    return ImageQc(
        plates=_plates(sites, profiles.plates[blank], parameters, names),
        dropped=dropped | blank,
        failed={key: EXCLUSION_PREFIX + _problem_names(group) for key, group in failed.items()},
        emptied=frozenset(key for key, group in failed.items() if all(ImageReason.EMPTY in s.problems for s in group)),
        sites=tuple(sites),
    )


def _blank(profiles: Profiles, dropped: Mask, least: float) -> Mask:
    """Return the tiles [N] without cells in wells that have other tiles which are not dropped."""
    index: dict[WellKey, int] = {}
    keys = zip(profiles.plates, profiles.wells, strict=True)
    well = np.array([index.setdefault(key, len(index)) for key in keys], np.intp)
    # A dropped tile must not count as the tile with cells that its well keeps.
    contrast = np.where(dropped, -np.inf, profiles.contrast)
    return blank_tiles(contrast, well, least) & ~dropped


def _with_exclusion(sites: Sequence[JudgedSite], parameters: ImageQcParameters) -> list[JudgedSite]:
    """Return the sites with the decision about each.

    A lost channel is no reason in a cell line whose sites have all lost it: they are alike, and none would remain.
    """
    by_cell_line: dict[str, list[JudgedSite]] = defaultdict(list)
    for site in sites:
        by_cell_line[site.of_well.cell_line].append(site)
    reasons = {
        name: {r for r in parameters.exclude if not (r.loses_a_channel and _is_everywhere(r, group))}
        for name, group in by_cell_line.items()
    }
    return [replace(site, excluded=not reasons[site.of_well.cell_line].isdisjoint(site.problems)) for site in sites]


def _is_everywhere(reason: ImageReason, sites: Sequence[JudgedSite]) -> bool:
    return all(reason in site.problems or ImageReason.EMPTY in site.problems for site in sites)


def _judged_sites(
    profiles: Profiles, wells: Sequence[Well], parameters: ImageQcParameters, channels: Sequence[str]
) -> list[JudgedSite]:
    """Return every measured site with its problems, in plate map order."""
    order = {(w.plate, w.well): i for i, w in enumerate(wells)}
    groups: dict[tuple[str, str], list[JudgedSite]] = defaultdict(list)
    for site in _measured_sites(profiles, wells):
        # Cell lines differ in shape and density, so sites are compared within plate and cell line.
        groups[site.of_well.plate, site.of_well.cell_line].append(site)
    sites = [site for group in groups.values() for site in _compared(group, profiles, parameters, channels)]
    # Reports list failed sites as people read a plate map, not in the order of the groups.
    return sorted(sites, key=lambda s: (order[s.well_key], s.tile))


def _compared(
    sites: Sequence[JudgedSite], profiles: Profiles, parameters: ImageQcParameters, channels: Sequence[str]
) -> list[JudgedSite]:
    """Return the sites of one cell line on one plate with their problems."""
    metrics, limits = _metrics(profiles, [site.tile for site in sites]), _limits(parameters)
    controls = np.array([_SIDES.get(site.of_well.role, 0) for site in sites], np.intp)
    problems = site_problems(metrics, controls, limits)
    by_channel = {
        ImageReason.DEAD: problems.dead,
        ImageReason.OVEREXPOSED: problems.overexposed,
        ImageReason.COPY: problems.copy,
        ImageReason.SATURATED: problems.saturated,
        ImageReason.STRIPED: problems.striped,
        ImageReason.BLURRED: problems.blurred,
    }
    focus_judged = can_judge_focus(metrics.structure, limits)
    results = []
    for i, site in enumerate(sites):
        named = {
            reason: tuple(name for name, has_problem in zip(channels, mask[i], strict=True) if has_problem)
            for reason, mask in by_channel.items()
            if mask[i].any()
        }
        empty = {ImageReason.EMPTY} if problems.empty[i] else set()
        ordered = tuple(reason for reason in ImageReason if reason in named or reason in empty)
        results.append(replace(site, problems=ordered, channels=named, focus_judged=focus_judged))
    return results


def _metrics(profiles: Profiles, tiles: Sequence[int]) -> ChannelMetrics:
    """Return the metrics of the sites to which the tiles belong; vectors of older versions lack the last two."""
    missing = np.full(profiles.sharpness.shape, np.nan, np.float32)
    stripes, similarity = (x if x.shape[1] else missing for x in (profiles.stripes, profiles.similarity))
    return ChannelMetrics(
        sharpness=profiles.sharpness[tiles],
        saturated=profiles.saturated[tiles],
        structure=profiles.structure[tiles],
        stripes=stripes[tiles],
        similarity=similarity[tiles],
    )


def _measured_sites(profiles: Profiles, wells: Sequence[Well]) -> list[JudgedSite]:
    if not profiles.has_site_metrics:
        return []
    by_key = {(well.plate, well.well): well for well in wells}
    # All tiles of a site carry its metrics, so its first tile is enough.
    first: dict[tuple[str, str, str], int] = {}
    for tile, key in enumerate(zip(profiles.plates, profiles.wells, profiles.sites, strict=True)):
        first.setdefault(key, tile)
    finite = np.isfinite(profiles.sharpness[:, 0])
    return [
        JudgedSite(tile=tile, of_well=by_key[plate, well], site=site)
        for (plate, well, site), tile in first.items()
        if finite[tile] and (plate, well) in by_key
    ]


def _limits(parameters: ImageQcParameters) -> ImageLimits:
    return ImageLimits(
        structure=parameters.structure,
        saturation=parameters.saturation,
        overexposed=parameters.overexposed,
        focus=parameters.focus,
        stripes=parameters.stripes,
        similarity=parameters.similarity,
    )


def _problem_names(sites: Sequence[JudgedSite]) -> str:
    return ", ".join(dict.fromkeys(problem for site in sites for problem in site.record.problems))


def _plates(
    sites: Sequence[JudgedSite], blank: NDArray[np.object_], parameters: ImageQcParameters, channels: Sequence[str]
) -> dict[str, PlateImages]:
    """Return what quality.json says of each plate; `blank` names the plate of each blank tile."""
    by_plate: dict[str, list[JudgedSite]] = defaultdict(list)
    for site in sites:
        by_plate[site.of_well.plate].append(site)
    return {
        plate: _plate(group, int(np.sum(blank == plate)), parameters, channels) for plate, group in by_plate.items()
    }


def _plate(
    sites: Sequence[JudgedSite], blank_tiles: int, parameters: ImageQcParameters, channels: Sequence[str]
) -> PlateImages:
    counts = tuple(ChannelImages(channel=name, problems=_counts(name, sites)) for name in channels)
    lost = [
        f"channel {counted.channel} {_LOSSES[reason]} in {n} of {len(sites)} fields"
        for counted in counts
        for reason, n in counted.problems.items()
        if reason.loses_a_channel and n > parameters.unusable * len(sites)
    ]
    return PlateImages(
        sites=len(sites),
        focus_judged=all(s.focus_judged for s in sites),
        blank_tiles=blank_tiles,
        failed=tuple(s.record for s in sites if s.problems),
        channels=counts,
        usable=not lost,
        reasons=tuple(lost),
    )


def _counts(channel: str, sites: Sequence[JudgedSite]) -> dict[ImageReason, int]:
    """Return the number of sites in which a channel has each problem that it has at all."""
    problems = Counter(reason for site in sites for reason, names in site.channels.items() if channel in names)
    return {reason: problems[reason] for reason in ImageReason if problems[reason]}
