"""Patterns of image file names: which well, site and channel a file shows.

A pattern is a path with placeholders, matched against the end of each file's path below the images folder: `{plate}`,
`{well}` or `{row}` and `{column}`, `{site}`, `{channel}`, `{plane}`, `{time}`, `{measurement}`, and `{any}` for text
that does not matter. `{row0}` and `{column0}` count from 0; `{number96}`, `{number384}` and `{number1536}` count the
wells of a plate of that format along its rows, from 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gandl_shared.errors import BadInput

PATTERNS: Mapping[str, str] = {
    "gandl": "{plate}/{well}_s{site}_w{channel}.tif",
    "gandl-stack": "{plate}/{well}_s{site}.tif",
    "rxrx": "{plate}/{well}_s{site}_w{channel}.png",
    "opera-phenix": "r{row}c{column}f{site}p{plane}-ch{channel}sk{time}fk{any}.tif",
    "imagexpress": "{plate}_{well}_s{site}_w{channel}.tif",
    "cellvoyager": "{plate}_{well}_T{time}F{site}L{any}A{any}Z{plane}C{channel}.tif",
    "incell": "{row} - {column}(fld {site} wv {any} - {channel}).tif",
    "incell-stack": "{row} - {column}(fld {site} wv {any} - {channel} z {plane}).tif",
    "incarta": "{row}_{column}_f{site}_c{any}_x{any}_m{channel}_z{plane}_t{time}.tif",
    "bbbc013": "Channel{channel}-{any}-{row}-{column}.tif",
    "one-file-a-well": "{well}.tif",
}
"""Presets by name. Without a pattern, the preset that fits most wells is taken; the order decides between equals."""

_PLACEHOLDERS = {
    "plate": r"(?P<plate>[^/]+)",
    "well": r"(?P<well>[A-Za-z]{1,2}\d{1,3})",
    "row": r"(?P<row>[A-Za-z]{1,2}|\d{1,2})",
    "column": r"(?P<column>\d{1,2})",
    "row0": r"(?P<row0>\d{1,2})",
    "column0": r"(?P<column0>\d{1,2})",
    "number96": r"(?P<number96>\d{1,6})",
    "number384": r"(?P<number384>\d{1,6})",
    "number1536": r"(?P<number1536>\d{1,6})",
    "site": r"(?P<site>\d+)",
    "channel": r"(?P<channel>[A-Za-z0-9]+)",
    "plane": r"(?P<plane>\d+)",
    "time": r"(?P<time>\d+)",
    "measurement": r"(?P<measurement>\d+)",
    "any": r"[^/]*?",
}


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern. Raises BadInput for unknown or missing placeholders."""
    parts = re.split(r"\{(\w*)\}", pattern)
    unknown = [p for p in parts[1::2] if p not in _PLACEHOLDERS]
    if unknown:
        raise BadInput(f"pattern '{pattern}': unknown placeholder {{{unknown[0]}}}; use {', '.join(_PLACEHOLDERS)}")
    names = set(parts[1::2])
    by_name = names & {"well", "number96", "number384", "number1536"}
    if not by_name and not (names & {"row", "row0"} and names & {"column", "column0"}):
        raise BadInput(f"pattern '{pattern}' has neither {{well}} nor {{row}} and {{column}}")
    regex = "".join(_expression(parts, i) for i in range(len(parts)))
    # A suffix of one letter more or less is the same format, and an OME-TIFF is a TIFF.
    suffix = re.sub(r"\\\.tif$", r"(?:\\.ome)?\\.tiff?", regex)
    return re.compile(f"(?:^|/){suffix}$", re.IGNORECASE)


def _expression(parts: Sequence[str], i: int) -> str:
    """Return the expression of one part of a pattern: odd parts are placeholders, the others are plain text."""
    if i % 2 == 0:
        return re.escape(parts[i])
    # A placeholder that repeats must have the same text each time, as where a plate is in folder and file name.
    repeated = parts[i] != "any" and parts[i] in parts[1:i:2]
    return f"(?P={parts[i]})" if repeated else _PLACEHOLDERS[parts[i]]
