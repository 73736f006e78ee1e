"""What each row of a table of vectors is: its plate, well, field of view and cell, and whether rows are there twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.plates.columns import standard_column
from gandl_shared.plates.map_table.published import rxrx_plate
from gandl_shared.schemas.vocabulary import TableLevel
from numpy.typing import NDArray

from gandl_analysis.formats.profiles.columns import by_key
from gandl_analysis.formats.profiles.sources.source import RowTexts, TextColumn

Codes = NDArray[np.intp]

_SITES = ("site", "field", "fov", "field_id", "field_of_view", "site_id")
_IMAGES = ("tablenumber", "imagenumber")
_OBJECTS = ("objectnumber", "object_number", "cell_id", "object_id", "label_id")
_EXPERIMENTS = ("experiment", "experiment_name")
_ROWS_AND_COLUMNS = (("well_row", "plate_row", "row"), ("well_column", "well_col", "plate_column", "column", "col"))
_MAX_PROBLEMS = 20


@dataclass(frozen=True, kw_only=True)
class IdentityColumns:
    """The columns that say what a row is; None or empty where a table has none."""

    plate: str | None
    well: tuple[str, ...]
    experiment: str | None
    site: str | None
    images: tuple[str, ...]
    objects: tuple[str, ...]

    @property
    def of_site(self) -> tuple[str, ...]:
        """The columns that tell the fields of view of a well apart."""
        return self.images or ((self.site,) if self.site else ())

    @property
    def level(self) -> TableLevel:
        """What a row describes, as far as the columns say it."""
        if self.objects:
            return TableLevel.CELL
        return TableLevel.SITE if self.of_site else TableLevel.WELL


def identity_columns(names: Iterable[str]) -> IdentityColumns:
    """Return which of the columns say what a row is."""
    listed = list(names)
    keys = by_key(listed)
    return IdentityColumns(
        plate=_column(keys, "plate"),
        well=_well_columns(keys),
        experiment=next((keys[key] for key in _EXPERIMENTS if key in keys), None),
        site=next((keys[key] for key in _SITES if key in keys), None),
        images=tuple(keys[key] for key in _IMAGES if key in keys),
        objects=tuple(name for key, name in keys.items() if key.endswith(_OBJECTS)),
    )


def _column(keys: Mapping[str, str], column: str) -> str | None:
    """Return the column of our name, else the first one that other tools name so."""
    if column in keys:
        return keys[column]
    return next((name for key, name in keys.items() if standard_column(key) == column), None)


def _well_columns(keys: Mapping[str, str]) -> tuple[str, ...]:
    well = _column(keys, "well")
    if well is not None:
        return (well,)
    pair = [next((keys[key] for key in names if key in keys), None) for names in _ROWS_AND_COLUMNS]
    return tuple(name for name in pair if name is not None) if None not in pair else ()


def joined_codes(columns: Sequence[TextColumn]) -> tuple[Codes, Codes]:
    """Return a code [N] per row, equal where all columns are equal, and the first row of each code, in file order."""
    code = np.zeros(len(columns[0].codes), np.intp)
    for column in columns:
        # Codes are made dense again after each column, so that their product does not overflow.
        _, code = np.unique(code * len(column.values) + column.codes, return_inverse=True)
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[inverse], first[order]


def with_plates_of_experiments(
    rows: RowTexts, identity: IdentityColumns, *, always: bool = False
) -> tuple[RowTexts, list[str]]:
    """Return the rows with plates named EXPERIMENT_PLATE, `always` or if a plate occurs in several experiments.

    Recursion counts the plates of every experiment from 1; without the experiment they would be one plate.
    """
    if identity.plate is None or identity.experiment is None:
        return rows, []
    plates, experiments = rows.columns[identity.plate], rows.columns[identity.experiment]
    code, first = joined_codes([plates, experiments])
    if not always and len(first) == len({plates.at(row) for row in first.tolist()}):
        return rows, []
    names = tuple(rxrx_plate(experiments.at(row), plates.at(row)) for row in first.tolist())
    joined = TextColumn(code, names)
    note = f"Plates were named after their experiment, such as {names[0]}, because experiments share names of plates"
    return replace(rows, columns={**rows.columns, identity.plate: joined}), [note]


def check_distinct(rows: RowTexts, identity: IdentityColumns, level: TableLevel) -> None:
    """Raise InvalidTable naming the rows that describe one well, field of view or cell twice."""
    names = [identity.plate, *identity.well]
    names += [*identity.of_site] if level is not TableLevel.WELL else []
    names += [*identity.objects] if level is TableLevel.CELL else []
    columns = [rows.columns[name] for name in names if name is not None]
    # Without a number for each cell, nothing tells two cells apart.
    if level is TableLevel.CELL and not identity.objects:
        return
    code, first = joined_codes(columns)
    if len(first) == len(rows):
        return
    is_first = np.zeros(len(rows), bool)
    is_first[first] = True
    doubled = np.flatnonzero(~is_first)
    problems = [
        Problem(
            f"{_phrase(names, columns, row)} is in row {rows.numbers[first[code[row]]]} already; {_fix(level)}",
            file=rows.source,
            row=int(rows.numbers[row]),
        )
        for row in doubled[:_MAX_PROBLEMS].tolist()
    ]
    raise_if(problems, InvalidTable, f"table {rows.source} cannot be used ({len(doubled)} rows)")


def _phrase(names: Sequence[str | None], columns: Sequence[TextColumn], row: int) -> str:
    present = (name for name in names if name is not None)
    return ", ".join(f"{name} {column.at(row)}" for name, column in zip(present, columns, strict=True))


def _fix(level: TableLevel) -> str:
    if level is TableLevel.WELL:
        return (
            "keep one, or name fields of view in Metadata_Site and cells in Metadata_ObjectNumber, or give --level cell"
        )
    return "keep one of them, or give --level cell if a row is a cell"
