"""Images without a plate map: which files make one image, from what they hold or from a pattern of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.imaging import read_header
from gandl_shared.plates import PATTERNS, Site
from gandl_shared.plates.patterns import FilesByField, channel_tokens, list_images, match_files, pattern_of


def image_sites(
    places: Sequence[Path], width: int, *, pattern: str | None = None, channels: Sequence[str] | None = None
) -> tuple[Site, ...]:
    """All images below `places` (files and folders), each of `width` channels.

    Without a pattern, files that hold `width` channels are an image each (`plate` is the folder, `site` the file's
    name); else the preset that puts most files together is taken. Raises NotFound, BadInput, Invalid naming what is
    incomplete.
    """
    sites: list[Site] = []
    for root, names in _files(places).items():
        if pattern is None and channels is None and read_header(root / names[0]).channels == width:
            sites += [
                Site(plate=str(Path(name).parent), well="", site=Path(name).name, root=root, names=(name,))
                for name in names
            ]
        else:
            sites += _put_together(root, names, width, pattern, channels)
    return tuple(sites)


def _files(places: Sequence[Path]) -> dict[Path, list[str]]:
    """Folder → names of images below it, sorted."""
    found: dict[Path, list[str]] = defaultdict(list)
    for place in places:
        if not place.exists():
            raise NotFound(f"image or folder {place} is not there")
        if place.is_dir():
            found[place] += list_images(place)
        else:
            found[place.parent].append(place.name)
    return found


def _put_together(
    root: Path, names: Sequence[str], width: int, pattern: str | None, channels: Sequence[str] | None
) -> list[Site]:
    groups = match_files(names, pattern_of(pattern)) if pattern else _best(root, names, width)
    if not groups:
        raise BadInput(f"no image in {root} fits the pattern '{pattern}', such as {names[0]}")
    tokens = channel_tokens(groups)
    wanted = list(channels) if channels else tokens
    if len(wanted) != width:
        raise Invalid(
            f"the images in {root} have channels {', '.join(wanted)}; the model takes {width}: see --channels"
        )
    problems = [
        Problem(f"channel {token} is not there", file=next(iter(group.values())))
        for group in groups.values()
        for token in wanted
        if token not in group
    ]
    raise_if(problems, Invalid, "incomplete images")
    return [
        Site(
            plate=field.plate or "", well=field.well, site=field.site, root=root, names=tuple(files[t] for t in wanted)
        )
        for field, files in sorted(groups.items(), key=lambda group: (group[0].plate or "", *group[0][1:]))
    ]


def _best(root: Path, names: Sequence[str], width: int) -> FilesByField:
    """By the preset that puts together most images of `width` files."""
    found = [match_files(names, pattern) for pattern in PATTERNS.values() if "{channel}" in pattern]
    best = max(found, key=lambda groups: sum(len(group) == width for group in groups.values()))
    if not any(len(group) == width for group in best.values()):
        has = read_header(root / names[0]).channels
        detail = f"{names[0]} has {has} channels, the model takes {width}, and no preset puts files together"
        raise Invalid(f"{detail}; give --pattern, or one of {', '.join(PATTERNS)}")
    return best
