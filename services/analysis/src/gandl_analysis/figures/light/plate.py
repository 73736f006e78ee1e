"""A plate as a small picture: one square per well on a scale that all plates share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from gandl_shared.plates.well_names import parse_well, row_letters
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Role

from gandl_analysis.figures.light.colours import ROLE_MARKS, ColourScale
from gandl_analysis.figures.light.elements import element
from gandl_analysis.figures.plate import plate_format

_CELL = 10.0
_MARGIN = 14.0
_MAX_CELL = 32
"""The largest width of a well on a page, in pixels."""
_GAP = 0.6
_LABELLED_ROWS = 16
"""Plates of more rows carry every second letter, because the letters would overlap."""


def plate_picture(
    wells: Sequence[WellScore],
    values: Mapping[str, float | str | None],
    scale: ColourScale,
    label: str,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the picture of the wells of one plate as an element of a page.

    `values` and `titles`, which are shown under the pointer, are by well. A well without a value is crossed out, and an
    empty well is a dotted ring, so that neither looks like a value of 0. Screen readers read `label`.
    """
    rows, columns = plate_format(wells)
    parts = [_row_labels(rows), _column_labels(columns)]
    parts += [_well(well, values.get(well.well), scale, titles.get(well.well)) for well in wells]
    width, height = _MARGIN + columns * _CELL, _MARGIN + rows * _CELL
    return element(
        "svg",
        *parts,
        class_="figure plate-picture",
        style=f"max-width: {columns * _MAX_CELL:g}px",
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=label,
    )


def _well(well: WellScore, value: float | str | None, scale: ColourScale, title: str | None) -> str:
    x, y = _corner(well.well)
    if value is None:
        return _empty(x, y, title) if well.role is Role.EMPTY else _crossed(x, y, title)
    colour = _cached_colour(scale, value)
    side = _CELL - 2 * _GAP
    square = element(
        "rect", x=x + _GAP, y=y + _GAP, width=side, height=side, rx=1.5, fill=colour, class_="w", title=title
    )
    mark = ROLE_MARKS.get(well.role)
    if mark is None:
        return square
    ink = _cached_ink(scale, value)
    return square + element("text", text=mark, x=x + _CELL / 2, y=y + _CELL / 2 + 2.8, class_="m", fill=ink)


def _empty(x: float, y: float, title: str | None) -> str:
    return element("circle", cx=x + _CELL / 2, cy=y + _CELL / 2, r=1.6, class_="e", title=title)


def _crossed(x: float, y: float, title: str | None) -> str:
    near, far = 2.8, _CELL - 2.8
    path = f"M{x + near:g} {y + near:g}L{x + far:g} {y + far:g}M{x + near:g} {y + far:g}L{x + far:g} {y + near:g}"
    return element("path", d=path, class_="x", title=title)


def _row_labels(rows: int) -> str:
    every = 1 if rows <= _LABELLED_ROWS else 2
    return "".join(
        element("text", text=row_letters(row), x=_MARGIN - 3, y=_MARGIN + row * _CELL - 2.2, class_="l r")
        for row in range(1, rows + 1, every)
    )


def _column_labels(columns: int) -> str:
    every = 1 if columns <= 12 else 2 if columns <= 24 else 4
    return "".join(
        element("text", text=str(column), x=_MARGIN + (column - 0.5) * _CELL, y=_MARGIN - 3, class_="l")
        for column in range(1, columns + 1, every)
    )


def _corner(name: str) -> tuple[float, float]:
    row, column = parse_well(name)
    return _MARGIN + (column - 1) * _CELL, _MARGIN + (row - 1) * _CELL


@lru_cache(maxsize=20_000)
def _cached_colour(scale: ColourScale, value: float | str) -> str:
    return scale.colour(value)


@lru_cache(maxsize=5_000)
def _cached_ink(scale: ColourScale, value: float | str) -> str:
    return scale.ink(value)
