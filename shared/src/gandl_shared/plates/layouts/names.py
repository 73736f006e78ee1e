"""Layouts that only the names of the files tell: a pattern, matched against the path of each image."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.patterns import compile_pattern
from gandl_shared.plates.well_names import row_letters, standard_well_name

_ONLY_SITE = "1"


def match_images(names: Iterable[str], pattern: str) -> tuple[ImageFile, ...]:
    """Return the files that fit a pattern. A file whose well is no well does not fit, nor does a row or column of 0.

    Raises BadInput for a pattern that cannot work.
    """
    expression = compile_pattern(pattern)
    matches = ((name, expression.search(name)) for name in names)
    files = (_image_file(name, match) for name, match in matches if match is not None)
    return tuple(file for file in files if file is not None)


def _image_file(name: str, match: re.Match[str]) -> ImageFile | None:
    groups = match.groupdict()
    well = well_of(groups)
    if well is None:
        return None
    folders = tuple(reversed(PurePosixPath(name).parts[:-1]))
    return ImageFile(
        name=name,
        plates=(groups["plate"],) if "plate" in groups else folders,
        named="plate" in groups,
        well=well,
        site=groups.get("site") or _ONLY_SITE,
        channel=_plain_number(groups.get("channel") or ""),
        plane=groups.get("plane") or "",
        time=groups.get("time") or "",
        measurement=groups.get("measurement") or "",
    )


def well_of(groups: Mapping[str, str]) -> str | None:
    """Return the name of the well that the placeholders of a pattern give, or None if they give none."""
    row = groups.get("row", "")
    if row.isdigit():
        row = row_letters(int(row)) if int(row) else ""
    if "row0" in groups:
        row = row_letters(int(groups["row0"]) + 1)
    column = str(int(groups["column0"]) + 1) if "column0" in groups else groups.get("column", "")
    try:
        return standard_well_name(groups.get("well") or row + column)
    except ValueError:
        return None


def _plain_number(token: str) -> str:
    """`01` and `1` are the same channel."""
    return str(int(token)) if token.isdigit() else token
