"""The chosen files of a field of view put together to a site, in the order of the channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gandl_shared.errors import Problem
from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.selection.choice import FieldChannel
from gandl_shared.plates.selection.links import LinkCheck
from gandl_shared.plates.site import Site, SiteId

FieldFiles = Mapping[str, tuple[ImageFile, ...]]
"""The files of a field of view by channel token."""


@dataclass(frozen=True, kw_only=True)
class AssembledSite:
    """A site, what it lacks, and its files that are links out of the images folder."""

    site: Site
    lack: Problem | None
    links: tuple[Problem, ...]


def files_by_field(files: Mapping[FieldChannel, tuple[ImageFile, ...]]) -> dict[SiteId, FieldFiles]:
    """Group chosen files by field of view, sites of a well in the order of their numbers."""
    fields: dict[SiteId, dict[str, tuple[ImageFile, ...]]] = {}
    for (plate, well, site, channel), stack in files.items():
        fields.setdefault(SiteId(plate, well, site), {})[channel] = stack
    return {field: fields[field] for field in sorted(fields, key=lambda field: _natural(field.site))}


def assemble(
    root: Path, field: SiteId, files: FieldFiles, tokens: Sequence[str], links: LinkCheck | None = None
) -> AssembledSite:
    """Put the files of a field of view together; its planes tell how many files each channel has.

    `links` is the check of the same root, which a caller with many fields shares among them.
    """
    links = links or LinkCheck(root)
    stacks = [files.get(token, ()) for token in tokens]
    # A stack with an absent plane would give another projection, so its channel counts as missing.
    present = [stack if all(file.present for file in stack) else () for stack in stacks]
    names = tuple(file.name for stack in present for file in stack)
    planes = tuple(len(stack) for stack in present)
    site = Site(plate=field.plate, well=field.well, site=field.site, root=root, names=names)
    return AssembledSite(
        site=site if set(planes) == {1} else replace(site, planes=planes),
        lack=_lack(field, files, [token for token, count in zip(tokens, planes, strict=True) if not count]),
        links=tuple(
            Problem(f"{name} is a link out of the images folder", file=name) for name in names if links.leads_out(name)
        ),
    )


def _lack(field: SiteId, files: FieldFiles, absent: Sequence[str]) -> Problem | None:
    if not absent:
        return None
    lost_file = next((file.name for token in absent for file in files.get(token, ()) if not file.present), None)
    because = f", because {lost_file}, which the index names, is not there" if lost_file else ""
    detail = f"site {field.site} of well {field.well} of plate {field.plate} lacks channel {', '.join(absent)}{because}"
    name = next(iter(files.values()))[0].name
    return Problem(f"{detail}; add the file, or give --missing skip", file=name, field="channel")


def _natural(text: str) -> tuple[int, int, str]:
    return (0, int(text), text) if text.isdigit() else (1, 0, text)
