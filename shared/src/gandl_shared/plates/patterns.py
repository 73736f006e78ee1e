"""Patterns of image file names: which well, site and channel a file shows.

A pattern is a path with placeholders, matched against the end of each file's path below the images folder: `{plate}`,
`{well}` or `{row}` and `{column}`, `{site}`, `{channel}`, `{plane}`, `{time}`, `{measurement}`, and `{any}` for text
that does not matter. `{row0}` and `{column0}` count from 0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gandl_shared.errors import BadInput
from gandl_shared.plates.well_names import row_letters, standard_well_name

PATTERNS: Mapping[str, str] = {
    "gandl": "{plate}/{well}_s{site}_w{channel}.tif",
    "gandl-stack": "{plate}/{well}_s{site}.tif",
    "rxrx": "{plate}/{well}_s{site}_w{channel}.png",
    "opera-phenix": "r{row}c{column}f{site}p{plane}-ch{channel}sk{time}fk{any}.tif",
    "imagexpress": "{plate}_{well}_s{site}_w{channel}.tif",
    "cellvoyager": "{plate}_{well}_T{time}F{site}L{any}A{any}Z{plane}C{channel}.tif",
    "incell": "{row} - {column}(fld {site} wv {any} - {channel}).tif",
    "incarta": "{row}_{column}_f{site}_c{any}_x{any}_m{channel}_z{plane}_t{time}.tif",
    "cytation": "{well}_{any}_{any}_{site}_{channel}_{time}.tif",
    "bbbc013": "Channel{channel}-{any}-{row}-{column}.tif",
    "one-file-a-well": "{well}.tif",
}
"""Presets by name. Without a pattern, the preset that fits most wells is taken; the order decides between equals."""

IMAGE_SUFFIXES = (".tif", ".tiff", ".png")

_PLACEHOLDERS = {
    "plate": r"(?P<plate>[^/]+)",
    "well": r"(?P<well>[A-Za-z]{1,2}\d{1,3})",
    "row": r"(?P<row>[A-Za-z]{1,2}|\d{1,2})",
    "column": r"(?P<column>\d{1,2})",
    "row0": r"(?P<row0>\d{1,2})",
    "column0": r"(?P<column0>\d{1,2})",
    "site": r"(?P<site>\d+)",
    "channel": r"(?P<channel>[A-Za-z0-9]+)",
    "plane": r"(?P<plane>\d+)",
    "time": r"(?P<time>\d+)",
    "measurement": r"(?P<measurement>\d+)",
    "any": r"[^/]*?",
}
_ONLY_SITE = "1"


class FieldName(NamedTuple):
    """A field of view as the names of its files tell it. `plate` is None where the pattern has no `{plate}`."""

    plate: str | None
    well: str
    site: str


FilesByField = Mapping[FieldName, Mapping[str, str]]
"""The file of each channel token (the empty text where a pattern has none), for each field."""


def list_images(folder: Path) -> list[str]:
    """Return the names of all images below a folder, relative to it and sorted. Raises BadInput if there are none."""
    # File systems list files in any order, and the same folder must always give the same screen.
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not names:
        raise BadInput(f"folder {folder} holds no images ({', '.join(IMAGE_SUFFIXES)})")
    return names


def pattern_of(name_or_pattern: str) -> str:
    """Return the pattern of a preset, or a pattern as it is."""
    return PATTERNS.get(name_or_pattern, name_or_pattern)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern. Raises BadInput for unknown or missing placeholders."""
    parts = re.split(r"\{(\w*)\}", pattern)
    unknown = [p for p in parts[1::2] if p not in _PLACEHOLDERS]
    if unknown:
        raise BadInput(f"pattern '{pattern}': unknown placeholder {{{unknown[0]}}}; use {', '.join(_PLACEHOLDERS)}")
    names = set(parts[1::2])
    if "well" not in names and not (names & {"row", "row0"} and names & {"column", "column0"}):
        raise BadInput(f"pattern '{pattern}' has neither {{well}} nor {{row}} and {{column}}")
    regex = "".join(_expression(parts, i) for i in range(len(parts)))
    # A suffix of one letter more or less is the same format, and an OME-TIFF is a TIFF.
    suffix = re.sub(r"\\\.tif$", r"(?:\\.ome)?\\.tiff?", regex)
    return re.compile(f"(?:^|/){suffix}$", re.IGNORECASE)


def match_files(names: Iterable[str], pattern: str) -> FilesByField:
    """Group the files that fit a pattern by field and channel. A file whose well is no well does not fit."""
    regex = compile_pattern(pattern)
    fields: dict[FieldName, dict[str, str]] = defaultdict(dict)
    for name in names:
        match = regex.search(name)
        well = _well(match.groupdict()) if match else None
        if match and well:
            groups = match.groupdict()
            field = FieldName(groups.get("plate"), well, groups.get("site") or _ONLY_SITE)
            fields[field][groups.get("channel") or ""] = name
    return fields


def channel_tokens(fields: FilesByField) -> list[str]:
    """Return the channel tokens of all files: first numbers by their value, then other texts by the alphabet."""
    tokens = {token for files in fields.values() for token in files}
    return sorted(tokens, key=lambda token: (0, int(token), token) if token.isdigit() else (1, 0, token))


def _expression(parts: Sequence[str], i: int) -> str:
    """Return the expression of one part of a pattern: odd parts are placeholders, the others are plain text."""
    if i % 2 == 0:
        return re.escape(parts[i])
    # A placeholder that repeats must have the same text each time, as where a plate is in folder and file name.
    repeated = parts[i] != "any" and parts[i] in parts[1:i:2]
    return f"(?P={parts[i]})" if repeated else _PLACEHOLDERS[parts[i]]


def _well(groups: Mapping[str, str]) -> str | None:
    row = groups.get("row", "")
    # Opera Phenix writes the row as a number: r02 is row B.
    letters = row_letters(int(row)) if row.isdigit() and int(row) > 0 else row
    try:
        return standard_well_name(groups.get("well") or letters + groups["column"])
    except ValueError:
        return None
