"""Images without a plate map: which files make one image, from what they hold or from a pattern of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.imaging.fields import read_header
from gandl_shared.plates import PATTERNS, Site, compile_pattern
from gandl_shared.plates.plate_map import row_name, well_name

_SUFFIXES = (".tif", ".tiff", ".png")

Place = tuple[str, str, str]  # plate, well, site
Groups = Mapping[Place, Mapping[str, str]]  # place → channel token → file


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
            sites += [Site(str(Path(name).parent), "", Path(name).name, root, (name,)) for name in names]
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
            names = sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.suffix.lower() in _SUFFIXES)
            if not names:
                raise BadInput(f"folder {place} holds no images ({', '.join(_SUFFIXES)})")
            found[place] += names
        else:
            found[place.parent].append(place.name)
    return found


def _put_together(
    root: Path, names: Sequence[str], width: int, pattern: str | None, channels: Sequence[str] | None
) -> list[Site]:
    groups = _grouped(names, PATTERNS.get(pattern, pattern)) if pattern else _best(root, names, width)
    if not groups:
        raise BadInput(f"no image in {root} fits the pattern '{pattern}', such as {names[0]}")
    tokens = sorted({t for group in groups.values() for t in group}, key=lambda t: (not t.isdigit(), t.zfill(9)))
    wanted = list(channels) if channels else tokens
    if len(wanted) != width:
        raise Invalid(
            f"the images in {root} have channels {', '.join(wanted)}; the model takes {width}: see --channels"
        )
    problems = [
        Problem(f"channel {token} is not there", next(iter(group.values())))
        for group in groups.values()
        for token in wanted
        if token not in group
    ]
    raise_if(problems, Invalid, "incomplete images")
    return [Site(*place, root, tuple(group[t] for t in wanted)) for place, group in sorted(groups.items())]


def _best(root: Path, names: Sequence[str], width: int) -> Groups:
    """By the preset that puts together most images of `width` files."""
    found = [_grouped(names, pattern) for pattern in PATTERNS.values() if "{channel}" in pattern]
    best = max(found, key=lambda groups: sum(len(group) == width for group in groups.values()))
    if not any(len(group) == width for group in best.values()):
        has = read_header(root / names[0]).channels
        detail = f"{names[0]} has {has} channels, the model takes {width}, and no preset puts files together"
        raise Invalid(f"{detail}; give --pattern, or one of {', '.join(PATTERNS)}")
    return best


def _grouped(names: Sequence[str], pattern: str) -> Groups:
    regex = compile_pattern(pattern)
    groups: dict[Place, dict[str, str]] = defaultdict(dict)
    for name in names:
        if match := regex.search(name):
            part = match.groupdict()
            well = part.get("well") or row_name(part["row"]) + part["column"]
            groups[part.get("plate") or "", well_name(well), part.get("site") or "1"][part.get("channel") or ""] = name
    return groups
