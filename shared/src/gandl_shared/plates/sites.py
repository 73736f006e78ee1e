"""Which image files belong to which well: by file-name columns of the plate map, or by a pattern of the paths.

A pattern is a path with placeholders, matched against the end of each file's path below the images folder:
`{plate}`, `{well}` or `{row}` and `{column}`, `{site}`, `{channel}`, and `{any}` for what does not matter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.plates.plate_map import PlateMap, Well, row_name, well_name

PATTERNS: Mapping[str, str] = {
    "gandl": "{plate}/{well}_s{site}_w{channel}.tif",
    "gandl-stack": "{plate}/{well}_s{site}.tif",
    "rxrx": "{plate}/{well}_s{site}_w{channel}.png",
    "opera-phenix": "r{row}c{column}f{site}p{any}-ch{channel}sk{any}fk{any}fl{any}.tif",
    "imagexpress": "{plate}_{well}_s{site}_w{channel}{any}.tif",
    "bbbc013": "Channel{channel}-{any}-{row}-{column}.tif",
    "one-file-a-well": "{well}.tif",
}
"""Presets, tried in this order when no pattern is given; the one that finds most of the plate map's wells is taken."""

_PLACEHOLDERS = {
    "plate": r"(?P<plate>[^/]+)",
    "well": r"(?P<well>[A-Za-z]{1,2}\d{1,3})",
    "row": r"(?P<row>[A-Za-z]{1,2}|\d{1,2})",
    "column": r"(?P<column>\d{1,2})",
    "site": r"(?P<site>\d+)",
    "channel": r"(?P<channel>[A-Za-z0-9]+)",
    "any": r"[^/]*",
}
_SUFFIXES = (".tif", ".tiff", ".png")
_FILE_COLUMN = re.compile(r"^(channel_|FileName_|file_)", re.IGNORECASE)


@dataclass(frozen=True)
class Site:
    """One field of view of a well: its files in channel order, relative to `root`."""

    plate: str
    well: str
    site: str
    root: Path
    names: tuple[str, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Paths of the files, in channel order."""
        return tuple(self.root / name for name in self.names)


def find_sites(
    images: Path, plate_map: PlateMap, pattern: str | None = None, *, channels: Sequence[str] | None = None
) -> tuple[Site, ...]:
    """All sites of all wells that are not empty, in the order of the plate map.

    `pattern` is a preset's name or a pattern; without one, file-name columns of the plate map (`channel_…`,
    `FileName_…`, `file_…`; several sites of a well separated by `;`) are used, else the presets are tried. `channels`
    picks and orders channels by their token in the pattern or the column's name.

    Raises NotFound (no folder), BadInput (nothing in it, no pattern fits), Invalid with a problem for every well
    without images and every file that is missing or outside the folder.
    """
    root = _folder(images)
    columns = _file_columns(plate_map) if pattern is None else []
    if columns:
        return _by_columns(root, plate_map, _picked(columns, channels))
    files = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if not files:
        raise BadInput(f"folder {images} holds no images ({', '.join(_SUFFIXES)})")
    chosen = PATTERNS.get(pattern, pattern) if pattern else _best(files, plate_map, images)
    return _by_pattern(root, files, plate_map, chosen, channels)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern. Raises BadInput for unknown or missing placeholders."""
    parts = re.split(r"\{(\w*)\}", pattern)
    unknown = [p for p in parts[1::2] if p not in _PLACEHOLDERS]
    if unknown:
        raise BadInput(f"pattern '{pattern}': unknown placeholder {{{unknown[0]}}}; use {', '.join(_PLACEHOLDERS)}")
    if "{well}" not in pattern and not ("{row}" in pattern and "{column}" in pattern):
        raise BadInput(f"pattern '{pattern}' has neither {{well}} nor {{row}} and {{column}}")
    seen: set[str] = set()
    regex = ""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            regex += re.escape(part)
        elif part != "any" and part in seen:
            regex += f"(?P={part})"
        else:
            seen.add(part)
            regex += _PLACEHOLDERS[part]
    return re.compile(f"(?:^|/){re.sub(r'tif$', 'tiff?', regex)}$", re.IGNORECASE)


def inside(root: Path, name: str) -> Path | None:
    """`root / name` resolved through links, or None where that leaves `root`."""
    if PurePosixPath(name).is_absolute() or "\0" in name:
        return None
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) else None


def _folder(images: Path) -> Path:
    if not images.exists():
        raise NotFound(f"folder {images} is not there")
    if not images.is_dir():
        raise BadInput(f"{images} is not a folder; give the folder of the images")
    return images


def _file_columns(plate_map: PlateMap) -> list[str]:
    names = dict.fromkeys(k for w in plate_map.wells for k in w.metadata)
    return [name for name in names if _FILE_COLUMN.match(name)]


def _picked(present: Sequence[str], channels: Sequence[str] | None) -> list[str]:
    if channels is None:
        return list(present)
    missing = [c for c in channels if c not in present]
    if missing:
        raise BadInput(f"channel '{missing[0]}' is not among {', '.join(present)}")
    return list(channels)


def _by_columns(root: Path, plate_map: PlateMap, columns: Sequence[str]) -> tuple[Site, ...]:
    problems: list[Problem] = []
    sites: list[Site] = []
    for w in plate_map.used:
        cells = [[n.strip() for n in w.metadata.get(c, "").split(";")] for c in columns]
        if len({len(names) for names in cells}) > 1:
            problems.append(Problem("the channels have different numbers of sites", plate_map.source, w.row))
            continue
        for i, names in enumerate(zip(*cells, strict=True), start=1):
            problems += _missing(root, plate_map.source, w, zip(columns, names, strict=True))
            sites.append(Site(w.plate, w.well, str(i), root, names))
    raise_if(problems, Invalid, f"images of {plate_map.source} cannot be used")
    return tuple(sites)


def _missing(root: Path, source: str, well: Well, cells: Iterable[tuple[str, str]]) -> list[Problem]:
    problems = []
    for column, name in cells:
        path = inside(root, name) if name else None
        if not name:
            problems.append(Problem("no file name", source, well.row, column))
        elif path is None:
            problems.append(Problem(f"{name} lies outside the images folder", source, well.row, column))
        elif not path.is_file():
            problems.append(Problem(f"image {name} of well {well.well} is not there", source, well.row, column))
    return problems


def _best(files: Sequence[str], plate_map: PlateMap, images: Path) -> str:
    wanted = {(w.plate, w.well) for w in plate_map.used}
    counts = {p: len(wanted & _matched(files, p, plate_map).keys()) for p in PATTERNS.values()}
    best = max(counts, key=lambda p: counts[p])
    if counts[best] == 0:
        detail = f"no file name pattern fits the {len(files)} images in {images}, such as {files[0]}"
        raise BadInput(f"{detail}; give --pattern, or one of {', '.join(PATTERNS)}")
    return best


def _matched(
    files: Sequence[str], pattern: str, plate_map: PlateMap
) -> dict[tuple[str, str], dict[tuple[int, str], dict[str, str]]]:
    """(plate, well) → site → channel token → file."""
    regex = compile_pattern(pattern)
    only = plate_map.plates[0] if len(plate_map.plates) == 1 else None
    found: dict[tuple[str, str], dict[tuple[int, str], dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for name in files:
        match = regex.search(name)
        if not match:
            continue
        groups = match.groupdict()
        plate = groups.get("plate") or only
        well = groups.get("well") or row_name(groups["row"]) + groups["column"]
        if plate is None:
            raise BadInput(f"pattern '{pattern}' has no {{plate}} but the plate map has {len(plate_map.plates)} plates")
        site = groups.get("site") or "1"
        found[plate, well_name(well)][int(site), site][groups.get("channel") or ""] = name
    return found


def _by_pattern(
    root: Path, files: Sequence[str], plate_map: PlateMap, pattern: str, channels: Sequence[str] | None
) -> tuple[Site, ...]:
    found = _matched(files, pattern, plate_map)
    tokens = sorted({t for sites in found.values() for by_channel in sites.values() for t in by_channel}, key=_natural)
    wanted = _picked(tokens, channels)
    problems: list[Problem] = []
    sites: list[Site] = []
    for w in plate_map.used:
        here = found.get((w.plate, w.well))
        if not here:
            detail = f"no image of well {w.well} of plate {w.plate} fits '{pattern}'"
            problems.append(Problem(detail, plate_map.source, w.row, "well"))
            continue
        for (_, site), by_channel in sorted(here.items()):
            absent = [t for t in wanted if t not in by_channel]
            if absent:
                detail = f"site {site} of well {w.well} of plate {w.plate} lacks channel {', '.join(absent)}"
                problems.append(Problem(detail, next(iter(by_channel.values())), None, "channel"))
                continue
            names = tuple(by_channel[t] for t in wanted)
            problems += [
                Problem(f"{n} is a link out of the images folder", n) for n in names if inside(root, n) is None
            ]
            sites.append(Site(w.plate, w.well, site, root, names))
    raise_if(problems, Invalid, f"images of {plate_map.source} cannot be used")
    return tuple(sites)


def _natural(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdigit() else (10**9, text)
