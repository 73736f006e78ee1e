"""Patterns of image file names: which well, site and channel a file shows.

A pattern is a path with placeholders, matched against the end of each file's path below the images folder: `{plate}`,
`{well}` or `{row}` and `{column}`, `{site}`, `{channel}`, `{plane}`, `{time}`, `{measurement}`, and `{any}` for text
that does not matter. `{row0}` and `{column0}` count from 0; `{number96}`, `{number384}` and `{number1536}` count the
wells of a plate of that format along its rows, from 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gandl_shared.errors import BadInput
from gandl_shared.files.path_patterns import Part, PathPattern

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

MAX_PATTERN = 500
"""The longest pattern, in characters."""
MAX_PLACEHOLDERS = 32
"""The largest number of placeholders of a pattern."""

_PLACEHOLDERS = {
    "plate": r"[^/]+",
    "well": r"[A-Za-z]{1,2}\d{1,3}",
    "row": r"(?:[A-Za-z]{1,2}|\d{1,2})",
    "column": r"\d{1,2}",
    "row0": r"\d{1,2}",
    "column0": r"\d{1,2}",
    "number96": r"\d{1,6}",
    "number384": r"\d{1,6}",
    "number1536": r"\d{1,6}",
    "site": r"\d+",
    "channel": r"[A-Za-z0-9]+",
    "plane": r"\d+",
    "time": r"\d+",
    "measurement": r"\d+",
    "any": r"[^/]*?",
}


def compile_pattern(pattern: str) -> PathPattern:
    """Return the expression of a pattern; its `search` takes linear time.

    Raises BadInput for unknown, missing or too many placeholders.
    """
    if len(pattern) > MAX_PATTERN or pattern.count("{") > MAX_PLACEHOLDERS:
        raise BadInput(
            f"pattern '{pattern[:40]}…' has {len(pattern)} characters and {pattern.count('{')} placeholders; at most "
            f"{MAX_PATTERN} and {MAX_PLACEHOLDERS} are read"
        )
    texts = re.split(r"\{(\w*)\}", pattern)
    unknown = [p for p in texts[1::2] if p not in _PLACEHOLDERS]
    if unknown:
        raise BadInput(f"pattern '{pattern}': unknown placeholder {{{unknown[0]}}}; use {', '.join(_PLACEHOLDERS)}")
    names = set(texts[1::2])
    by_name = names & {"well", "number96", "number384", "number1536"}
    if not by_name and not (names & {"row", "row0"} and names & {"column", "column0"}):
        raise BadInput(f"pattern '{pattern}' has neither {{well}} nor {{row}} and {{column}}")
    # A placeholder that repeats must have the same text each time, as where a plate is in folder and file name.
    return PathPattern(tuple(_placeholder(text) if i % 2 else _text(text) for i, text in enumerate(texts)))


def _placeholder(name: str) -> Part:
    expression = _PLACEHOLDERS[name]
    is_wildcard = expression.endswith(("+", "*?"))
    return Part(expression=expression, name=None if name == "any" else name, is_wildcard=is_wildcard)


def _text(text: str) -> Part:
    # A suffix of one letter more or less is the same format, and an OME-TIFF is a TIFF.
    return Part(expression=re.sub(r"\\\.tif$", r"(?:\\.ome)?\\.tiff?", re.escape(text)))
