"""Layouts that only the names of the files tell: a pattern, matched against the path of each image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from string import ascii_letters

from gandl_shared.errors import BadInput
from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.patterns import compile_pattern
from gandl_shared.plates.well_names import row_letters, standard_well_name, well_name

_ONLY_SITE = "1"
_COLUMNS = {"96": 12, "384": 24, "1536": 48}
"""The number of columns of a plate by its number of wells."""


def match_images(names: Iterable[str], pattern: str) -> tuple[ImageFile, ...]:
    """Return the files that fit a pattern. A file whose well is no well does not fit.

    Raises BadInput for a pattern that cannot work, and for names that count rows or columns from 0 where the pattern
    counts from 1: every well would be taken for its neighbour.
    """
    expression = compile_pattern(pattern)
    matches = [(name, match) for name in names if (match := expression.search(name)) is not None]
    zero = next((name for name, match in matches if counts_from_zero(match)), None)
    if zero is not None:
        raise BadInput(
            f"{zero} has a row or column 0, so its names count from 0; give --pattern with {{row0}} and {{column0}}, "
            f"such as {_zero_based(pattern)}"
        )
    files = (_image_file(name, match) for name, match in matches)
    return tuple(file for file in files if file is not None)


def counts_from_zero(groups: Mapping[str, str]) -> bool:
    """Return whether the row or the column of a well is 0 where it should count from 1."""
    numbers = (groups.get("row", ""), groups.get("column", ""), groups.get("well", "").lstrip(ascii_letters))
    return any(number.isdigit() and not int(number) for number in numbers)


def _zero_based(pattern: str) -> str:
    return pattern.replace("{row}", "{row0}").replace("{column}", "{column0}").replace("{well}", "{row}{column0}")


def _image_file(name: str, groups: Mapping[str, str]) -> ImageFile | None:
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
    for wells, columns in _COLUMNS.items():
        number = int(groups.get(f"number{wells}") or 0)
        if number:
            return well_name((number - 1) // columns + 1, (number - 1) % columns + 1) if number <= int(wells) else None
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
