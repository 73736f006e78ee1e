"""The doses of a plate map: read once per distinct cell, with what is wrong in the whole column reported once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gandl_shared.errors import Problem
from gandl_shared.plates.columns import COLUMN_NAMES, DOSE, column_key, plain_column
from gandl_shared.plates.map_table.columns import MapColumns
from gandl_shared.plates.tables.damage import damage
from gandl_shared.plates.tables.quantities.concentrations import NO_UNIT, ConcentrationColumn
from gandl_shared.plates.tables.quantities.numbers import Mark, decimal_mark, is_missing
from gandl_shared.plates.tables.quantities.units import DoseScale, dose_scale
from gandl_shared.plates.tables.table import Row, Table
from gandl_shared.schemas.vocabulary import Role

_MICROMOLAR = DoseScale(0)


@dataclass
class _Rows:
    """The rows with something that is reported once for the whole table."""

    without_unit: list[int] = field(default_factory=list)
    without_column: list[int] = field(default_factory=list)
    units_in_cells: list[int] = field(default_factory=list)
    negative: list[tuple[int, str]] = field(default_factory=list)
    zero: list[int] = field(default_factory=list)


class DoseCells:
    """The cells of the column of concentrations of a plate map."""

    def __init__(self, table: Table, columns: MapColumns, *, required: bool = True) -> None:
        self._table, self._columns, self._required = table, columns, required
        self._index = columns.single.get(DOSE)
        self._unit_index = columns.single.get("concentration_unit")
        self._rows = _Rows()
        self._cache: dict[tuple[str, str], float | ValueError] = {}
        self._mark_problems: list[Problem] = []
        self._column = None if self._index is None else self._concentrations(self._index)

    def _concentrations(self, index: int) -> ConcentrationColumn:
        header = self._table.header[index]
        cells = [(row, header, text) for row, text in self._table.column(index) if not is_missing(text)]
        # In files of commas a point is no separator of thousands; a German spreadsheet writes semicolons or tabs.
        points = self._table.separator in (",", None)
        mark, self._mark_problems = decimal_mark(cells, self._table.source, points_are_decimal=points)
        scale = None if column_key(header) in COLUMN_NAMES else dose_scale(plain_column(header))
        return ConcentrationColumn(header=header, scale=scale or _MICROMOLAR, mark=mark)

    def text(self, row: Row) -> str:
        """Return the dose of a row as it is written, empty where there is none."""
        text = "" if self._index is None else row.cells[self._index]
        return "" if is_missing(text) else text

    def read(self, row: Row, text: str, role: Role | None) -> float | None:
        """Return the dose of a row in µM, or None if it has none or is reported once for the table.

        Raises ValueError with a sentence about this cell.
        """
        if not text:
            self._check_missing(row, role)
            return None
        unit = "" if self._unit_index is None else row.cells[self._unit_index]
        key = (text, unit)
        dose = self._cache.get(key)
        if dose is None:
            dose = self._cache[key] = self._read(row, text, "" if is_missing(unit) else unit)
        if isinstance(dose, ValueError):
            if NO_UNIT not in str(dose):
                raise dose
            self._rows.without_unit.append(row.number)
            return None
        if dose < 0:
            self._rows.negative.append((row.number, text))
        elif dose == 0 and role is Role.TREATMENT:
            self._rows.zero.append(row.number)
        return dose

    def _check_missing(self, row: Row, role: Role | None) -> None:
        if role is not Role.TREATMENT:
            return
        if self._index is None:
            self._rows.without_column.append(row.number)
            return
        text = row.cells[self._index]
        cell = f"; the cell says '{text}'" if text else ""
        raise ValueError(f"a treatment needs a concentration in µM{cell}")

    def _read(self, row: Row, text: str, unit: str) -> float | ValueError:
        reason = damage(text)
        if reason and "scientific" not in reason:
            return ValueError(reason)
        try:
            dose = 0.0 if self._column is None else self._column.read(text, unit)
        except ValueError as error:
            return error
        if text[-1:].isalpha():
            self._rows.units_in_cells.append(row.number)
        return dose

    def problems(self) -> list[Problem]:
        """Return the problems of the column."""
        problems = list(self._mark_problems)
        if self._rows.without_column and self._required:
            header = ", ".join(self._table.header)
            problems.append(
                self._problem(
                    self._table.header_row,
                    "no column names the concentration of the treatments; name it concentration_um, or with another "
                    f"unit such as concentration_nM; the header is: {header}{self._columns.near_misses}",
                )
            )
        if self._rows.without_unit:
            detail = f"the column {NO_UNIT}, and not all cells name one; write it into the header, such as conc_nM"
            problems.append(self._problem(self._table.header_row, detail))
        return [*problems, *self._not_above_zero()]

    def _not_above_zero(self) -> list[Problem]:
        """Return one problem for a column with negative numbers, which may be logarithms; else one per dose of zero."""
        negative = self._rows.negative
        if not negative:
            detail = "0 is no concentration of a treatment; give one above 0 µM, or the role of a control"
            return [self._problem(row, detail) for row in self._rows.zero]
        row, text = negative[0]
        detail = (
            f"{text} is no concentration; {len(negative)} {'cell is' if len(negative) == 1 else 'cells are'} negative. "
            "If the column holds logarithms, name it so, such as log10_concentration_um"
        )
        return [self._problem(row, detail)]

    def _without_doses(self) -> Sequence[str]:
        n = len(self._rows.without_column)
        if not n:
            return ()
        return (
            f"No column names the concentration of the {n} treatment wells, so that no dose-response curve is fitted"
            f"{self._columns.near_misses}",
        )

    def _problem(self, row: int, detail: str) -> Problem:
        name = self._columns.header_of(DOSE, self._table)
        return Problem(detail, file=self._table.source, row=row, field=name)

    def notes(self) -> Sequence[str]:
        """Return what was assumed about the column."""
        column, notes = self._column, []
        if column is None:
            return self._without_doses()
        if column.scale.is_log:
            notes.append(f"The column '{column.header}' was read as log10 of the concentration")
        elif column.scale.power not in (0, None):
            notes.append(f"The concentrations of the column '{column.header}' were converted to µM")
        if self._rows.units_in_cells:
            row = self._rows.units_in_cells[0]
            notes.append(f"Units in the cells of '{column.header}' were used, for example in row {row}")
        if column.mark is Mark.COMMA:
            notes.append(f"Commas in the column '{column.header}' were read as decimal commas")
        return notes
