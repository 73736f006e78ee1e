"""Images that are there twice: a file that was copied under the name of another well is no measurement of that well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from gandl_shared.plates import Well
from gandl_shared.schemas.quality import GroupQuality, IdenticalImages, Quality, SitePosition
from gandl_shared.store import Profiles

from gandl_analysis.pipeline.image_qc import EXCLUSION_PREFIX, ImageQc

SiteKey = tuple[str, str, str]  # plate, well, site
_COMPARED_FIRST = 16
MAX_NAMED = 3
"""At most so many groups of identical control wells are named in the reasons of a verdict; all are in `identical`."""


def identical_images(
    profiles: Profiles, wells: Iterable[Well], empty: frozenset[SiteKey] = frozenset()
) -> tuple[IdenticalImages, ...]:
    """Return the groups of sites of `wells` whose vectors are equal in every bit, in the order of the profiles.

    Equal pixels under equal limits give equal vectors, whatever the bytes of the files; the noise of a camera makes any
    two real images differ. Sites that show nothing (`empty`) may well be equal and are left out.
    """
    by_key = {(well.plate, well.well): well for well in wells}
    rows: dict[SiteKey, list[int]] = defaultdict(list)
    for row, key in enumerate(zip(profiles.plates, profiles.wells, profiles.sites, strict=True)):
        if key[:2] in by_key and key not in empty:
            rows[key].append(row)
    return tuple(
        IdenticalImages(sites=tuple(_position(by_key[key[:2]], key[2]) for key in group))
        for group in _equal(rows, profiles)
    )


def _position(well: Well, site: str) -> SitePosition:
    return SitePosition(plate=well.plate, well=well.well, site=site, role=well.role, cell_line=well.cell_line)


def _equal(rows: Mapping[SiteKey, Sequence[int]], profiles: Profiles) -> list[list[SiteKey]]:
    # A few numbers of the first tile sort almost all sites apart, so that few vectors are compared in full.
    by_first: dict[bytes, list[SiteKey]] = defaultdict(list)
    for key, of_site in rows.items():
        by_first[profiles.vectors[of_site[0], :_COMPARED_FIRST].tobytes()].append(key)
    by_all: dict[bytes, list[SiteKey]] = defaultdict(list)
    for candidates in by_first.values():
        if len(candidates) > 1:
            for key in candidates:
                by_all[np.ascontiguousarray(profiles.vectors[rows[key]]).tobytes()].append(key)
    # A model that gives one vector for every image says nothing about files.
    return [group for group in by_all.values() if 1 < len(group) < len(rows)]


def without_copies(image_qc: ImageQc, identical: Sequence[IdenticalImages], profiles: Profiles) -> ImageQc:
    """Return image QC that also leaves out control wells all of whose images are those of an earlier control well.

    A copy is no replicate: it would be held out while the axis is fitted on its own pixels.
    """
    controls = [[s for s in group.sites if s.role.is_control] for group in identical]
    copies = {(s.plate, s.well, s.site): group[0] for group in controls for s in group[1:]}
    sites: dict[tuple[str, str], set[SiteKey]] = defaultdict(set)
    for key in zip(profiles.plates, profiles.wells, profiles.sites, strict=True):
        sites[key[:2]].add(key)
    failed = {}
    for well, keys in sites.items():
        originals = {
            copies[key].well for key in keys if key in copies and (copies[key].plate, copies[key].well) != well
        }
        if originals and keys <= copies.keys():
            failed[well] = f"{EXCLUSION_PREFIX}same images as {', '.join(sorted(originals))}"
    if not failed:
        return image_qc
    rows = zip(profiles.plates, profiles.wells, strict=True)
    dropped = np.fromiter((key in failed for key in rows), bool, len(profiles))
    return replace(image_qc, failed={**failed, **image_qc.failed}, dropped=image_qc.dropped | dropped)


def with_identical_images(quality: Quality, identical: Sequence[IdenticalImages]) -> Quality:
    """Return the quality with these groups, and the reason of each verdict with the control wells among them."""
    if not identical:
        return quality
    plates, cell_lines = {}, {}
    for key, group in quality.plates.items():
        # The key names the cell line too where a plate has several.
        names = (key, key.removesuffix(f" ({group.cell_line})"))
        sites = [[s for s in g.sites if s.plate in names and s.cell_line == group.cell_line] for g in identical]
        plates[key] = _with_reason(group, sites)
    for name, group in quality.cell_lines.items():
        cell_lines[name] = _with_reason(group, [[s for s in g.sites if s.cell_line == name] for g in identical])
    return quality.model_copy(update={"identical": tuple(identical), "plates": plates, "cell_lines": cell_lines})


def _with_reason(group: GroupQuality, sites: Sequence[Sequence[SitePosition]]) -> GroupQuality:
    wells = [tuple(dict.fromkeys(f"{s.plate} {s.well}" for s in equal if s.role.is_control)) for equal in sites]
    names = [" = ".join(names) for names in dict.fromkeys(wells) if len(names) > 1]
    if not names:
        return group
    listed = ", ".join(names[:MAX_NAMED]) + (" and more" if len(names) > MAX_NAMED else "")
    return group.model_copy(update={"reasons": (*group.reasons, f"control wells have equal images: {listed}")})
