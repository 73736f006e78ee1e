"""Well names: the only place where `B07` becomes a row and a column, and back.

Rows and columns count from 1, as the labels of a plate do: `A01` is row 1, column 1. Plates of 1536 wells go on after
row Z with AA, AB, … AF; no larger plate is known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_WELL = re.compile(r"^([A-Za-z]{1,2})0*([1-9][0-9]?)$")
_LETTERS = 26
MAX_ROW, MAX_COLUMN = 32, 48
"""The last row (AF) and the last column of a plate of 1536 wells."""


class PositionError(ValueError):
    """A well that no plate of up to 1536 wells has."""


def parse_well(name: str) -> tuple[int, int]:
    """Return the row and the column of a well, both counted from 1. `a1`, `A01` and `A001` are the same well.

    Raises ValueError for a name that is no well. What a plate holds is asked by `check_position`, where wells are read.
    """
    match = _WELL.match(name.strip())
    if match is None:
        raise ValueError(f"'{name}' is no well; wells look like A01 or AF48")
    return row_number(match[1]), int(match[2])


def check_position(row: int, column: int) -> tuple[int, int]:
    """Return a row and a column, both counted from 1. Raises PositionError for one that no plate has."""
    if not (1 <= row <= MAX_ROW and 1 <= column <= MAX_COLUMN):
        last = well_name(MAX_ROW, MAX_COLUMN)
        name = well_name(row, column) if row > 0 else f"row {row}, column {column}"
        raise PositionError(f"no plate has a well {name}; the last well of 1,536 is {last}")
    return row, column


def parse_wells(names: Iterable[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows [W] and columns [W] of wells. Raises ValueError for the first name that is no well."""
    numbers = np.array([parse_well(name) for name in names], np.intp).reshape(-1, 2)
    return numbers[:, 0], numbers[:, 1]


def well_name(row: int, column: int) -> str:
    """Return the name of a well with two digits for the column: row 2, column 7 is `B07`."""
    return f"{row_letters(row)}{column:02d}"


def row_number(letters: str) -> int:
    """Return the number of a plate row: `A` is 1, `Z` is 26 and `AA` is 27."""
    # Letters are digits 1 to 26 of a system without zero, so AA follows Z.
    number = 0
    for letter in letters.upper():
        number = number * _LETTERS + ord(letter) - ord("A") + 1
    return number


def row_letters(row: int) -> str:
    """Return the letters of a plate row: 1 is `A`, 26 is `Z` and 27 is `AA`."""
    first, last = divmod(row - 1, _LETTERS)
    return (chr(ord("A") + first - 1) if first else "") + chr(ord("A") + last)


def standard_well_name(name: str) -> str:
    """Return the name of a well as gandl writes it: `a1`, `A1` and `A001` are all `A01`.

    Raises ValueError for a name that is no well, and PositionError for a well that no plate of up to 1536 wells has.
    """
    return well_name(*check_position(*parse_well(name)))
