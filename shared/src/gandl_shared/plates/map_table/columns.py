"""The columns of a plate map: which of them says what, where several could, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gandl_shared.errors import Problem
from gandl_shared.plates.columns import (
    COMPOUND_NUMBERS,
    DOSE,
    choose_column,
    column_key,
    plain_column,
    standard_column,
)
from gandl_shared.plates.tables.quantities.units import foreign_unit
from gandl_shared.plates.tables.table import Table

_ROW_NAMES, _COLUMN_NAMES = (
    ("row", "well_row", "plate_row"),
    ("column", "col", "well_column", "well_col", "plate_column"),
)
_REQUIRED = ("plate", "well", "role")


@dataclass(frozen=True, kw_only=True)
class MapColumns:
    """Which columns of a table are read.

    `single` has the index of the column of each meaning but wells and roles; `well` has one index, or those of row and
    column; `roles` has all columns of roles; `further` are the indices and names of all others. `near_misses` is a
    sentence about columns that look like a dose. `roles_are_conditions`: the only column of roles is RxRx19's
    `disease_condition`, in which wells with a compound have the words of the negative controls.
    """

    single: Mapping[str, int]
    well: tuple[int, ...]
    roles: tuple[int, ...]
    further: tuple[tuple[int, str], ...]
    missing: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    near_misses: str
    roles_are_conditions: bool

    def header_of(self, column: str, table: Table) -> str:
        """Return the file's name of one of our columns; our own name where the file has none."""
        indices = {"well": self.well, "role": self.roles}.get(column, ())
        index = next(iter(indices), None) if column in ("well", "role") else self.single.get(column)
        return column if index is None else table.header[index]


def choose_columns(table: Table) -> MapColumns:
    """Return which column says what. Our own name wins over those of other tools; columns of roles are read together.

    Two columns of other names that say different things are a problem, because only the user knows which is right.
    """
    indices: dict[str, list[int]] = {}
    for i, name in enumerate(table.header):
        column = standard_column(name)
        if column is not None:
            indices.setdefault(column, []).append(i)
    if "compound" not in indices:
        keys = [column_key(name) for name in table.header]
        number = next((key for key in COMPOUND_NUMBERS if key in keys), None)
        indices |= {} if number is None else {"compound": [keys.index(number)]}
    roles = tuple(indices.pop("role", ()))
    problems: list[Problem] = []
    notes: list[str] = []
    single = {column: choose_column(table, column, several, problems, notes) for column, several in indices.items()}
    well = (single.pop("well"),) if "well" in single else _row_and_column(table)
    read = {*single.values(), *well, *roles}
    return MapColumns(
        single=single,
        well=well,
        roles=roles,
        further=tuple((i, name) for i, name in enumerate(table.header) if i not in read),
        missing=tuple(_missing(table, {"plate": "plate" in single, "well": bool(well), "role": bool(roles)})),
        problems=tuple(problems),
        notes=tuple(notes),
        near_misses=_near_misses(table),
        roles_are_conditions=[column_key(table.header[i]) for i in roles] == ["disease_condition"],
    )


def _row_and_column(table: Table) -> tuple[int, ...]:
    keys = [column_key(name) for name in table.header]
    row = next((keys.index(name) for name in _ROW_NAMES if name in keys), None)
    column = next((keys.index(name) for name in _COLUMN_NAMES if name in keys), None)
    return () if row is None or column is None else (row, column)


def _missing(table: Table, present: Mapping[str, bool]) -> list[Problem]:
    header = ", ".join(table.header)
    return [
        Problem(
            f"column '{column}' is missing; the header is: {header}",
            file=table.source,
            row=table.header_row,
            field=column,
        )
        for column in _REQUIRED
        if not present[column]
    ]


def _near_misses(table: Table) -> str:
    """Return a sentence about headers of a concentration whose unit is not molar, empty if there is none."""
    units = {name: unit for name in table.header if (unit := foreign_unit(plain_column(name)))}
    if not units or any(standard_column(name) == DOSE for name in table.header):
        return ""
    name, unit = next(iter(units.items()))
    return f"; '{name}' is in {unit}, which is not molar: convert it to µM"
