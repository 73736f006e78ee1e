"""The columns of a table of responses: names, concentrations and numbers, with a problem for each cell that is none."""

from __future__ import annotations

from dataclasses import replace

from gandl_shared.errors import Problem
from gandl_shared.plates.columns import COLUMN_NAMES, DOSE, column_key, plain_column, standard_column
from gandl_shared.plates.map_table.exclusion_marks import exclusion_reason
from gandl_shared.plates.tables import Row, Table
from gandl_shared.plates.tables.damage import damage
from gandl_shared.plates.tables.names import fold_name, folding_notes
from gandl_shared.plates.tables.quantities.concentrations import MAX_SIZE, MIN_SIZE, ConcentrationColumn
from gandl_shared.plates.tables.quantities.numbers import Mark, decimal_mark, is_missing, parse_quantity, plain_number
from gandl_shared.plates.tables.quantities.units import DoseScale, dose_scale, unit_power
from gandl_shared.plates.well_names import standard_well_name

from gandl_analysis.pipeline.curves.weighting import WEIGHT
from gandl_analysis.pipeline.curves.wells import CurveWell

REQUIRED = ("compound", "cell_line", DOSE, "response")
_NUMBERS = (DOSE, "response", "off_distance")
_UNITLESS = frozenset({"treatment_conc"})
"""The names of a concentration in plate maps that state no unit themselves."""
_INFINITE = {"inf", "-inf", "+inf", "infinity", "-infinity", "∞"}


def weight_columns(table: Table) -> list[int]:
    """Return the indices of the columns of weights."""
    return [i for i, name in enumerate(table.header) if column_key(name) == WEIGHT]


def _header_scale(header: str) -> DoseScale:
    """Return how a column of concentrations is scaled; its power is None where the header states no unit."""
    if column_key(header) in COLUMN_NAMES:
        return DoseScale(None if column_key(header) in _UNITLESS else 0)
    return dose_scale(plain_column(header)) or DoseScale(None)


class ResponseColumns:
    """Turn the columns of a table into wells; `problems` collects what is wrong with their cells."""

    def __init__(self, table: Table, columns: dict[str, int], unit: str | None, *, has_weights: bool) -> None:
        self._table = table
        self._ignores_weights = not has_weights and bool(weight_columns(table))
        self._columns = {**columns, WEIGHT: weight_columns(table)[0]} if has_weights else columns
        self._further = [(i, name) for i, name in enumerate(table.header) if i not in self._columns.values()]
        self._rows = [row for row in table.rows if row.number not in table.short_rows]
        self._spellings: dict[str, int] = {}
        self._good_names: dict[str, str] = {}
        self._mark, self.problems = self._decimal_mark()
        self._concentrations = self._concentration_column(unit)

    def _decimal_mark(self) -> tuple[Mark, list[Problem]]:
        cells = [
            (row, self._table.header[self._columns[name]], text)
            for name in _NUMBERS
            if name in self._columns
            for row, text in self._table.column(self._columns[name])
        ]
        points = self._table.separator in (",", None)
        return decimal_mark(cells, self._table.source, points_are_decimal=points)

    def _concentration_column(self, stated: str | None) -> ConcentrationColumn:
        header, unit = self._table.header[self._columns[DOSE]], stated or "uM"
        power, scale, detail = unit_power(unit), _header_scale(header), None
        if scale.power is None:
            # The user states the unit of a header that has none; that of a plate map is in µM by convention.
            is_stated = stated is not None or column_key(header) in _UNITLESS
            scale = replace(scale, power=(power or 0) if is_stated else None)
            self.problems += self._other_units(unit)
        elif column_key(header) in COLUMN_NAMES:
            self.problems += self._other_units(unit)
            if power != 0:
                detail = f"the header says µM, but --unit is {unit}; name the column concentration, or leave out --unit"
        elif power is None:
            detail = f"the header states a molar unit, but the unit of the results is {unit}; give a molar unit"
        if detail:
            self.problems.append(Problem(detail, file=self._table.source, row=self._table.header_row, field=header))
        self._is_molar = power is not None
        return ConcentrationColumn(header=header, scale=scale, mark=self._mark, unit=unit, unit_power=power or 0)

    def _other_units(self, unit: str) -> list[Problem]:
        """Return a problem for each column of units that states another molar unit than that of the results."""
        first: dict[str, tuple[int, str]] = {}
        for i, name in self._further:
            if standard_column(name) == "concentration_unit":
                powers = [(row, text, unit_power(text)) for row, text in self._table.column(i)]
                others = [(row, text) for row, text, power in powers if power is not None and power != unit_power(unit)]
                first |= {name: others[0]} if others else {}
        fix = "write the unit into the header of the concentration, such as concentration_nM, or give --unit"
        return [
            Problem(
                f"the unit '{text}' is not that of the results, {unit}; {fix}",
                file=self._table.source,
                row=row,
                field=name,
            )
            for name, (row, text) in first.items()
        ]

    def wells(self) -> tuple[CurveWell, ...]:
        """Return a well for each row that is complete. They are meaningless if there is a problem."""
        # One column after the other, because a call for each cell takes most of the time of a large table.
        columns = zip(
            self._rows,
            self._names("compound"),
            self._names("cell_line"),
            self._doses(),
            self._numbers("response"),
            self._names("plate"),
            self._well_names(),
            self._numbers("off_distance"),
            self._exclusions(),
            self._weights(),
            strict=True,
        )
        return tuple(
            CurveWell(
                compound=compound,
                cell_line=cell_line,
                concentration=dose,
                response=response,
                plate=plate or None,
                well=well,
                off_distance=off_distance,
                excluded=excluded,
                weight=weight,
                table_row=row.number,
                metadata={name: row.cells[i] for i, name in self._further},
            )
            for row, compound, cell_line, dose, response, plate, well, off_distance, excluded, weight in columns
        )

    def _cells(self, field: str) -> list[str] | None:
        """Return the texts of a column, None for a column that the table does not have."""
        index = self._columns.get(field)
        return None if index is None else [row.cells[index] for row in self._rows]

    def _add_problem(self, row: Row, field: str, detail: str) -> None:
        name = self._table.header[self._columns[field]]
        self.problems.append(Problem(detail, file=self._table.source, row=row.number, field=name))

    def _names(self, field: str) -> list[str]:
        """Return the names in a column; they are empty in a column that the table does not have."""
        cells = self._cells(field)
        if cells is None:
            return [""] * len(self._rows)
        names = []
        for row, text in zip(self._rows, cells, strict=True):
            # The wells of a compound repeat its name, which is good once it was.
            name = self._good_names.get(text)
            names.append(self._name(row, field, text) if name is None else name)
        if field == "compound":
            for row, text, name in zip(self._rows, cells, names, strict=True):
                if name:
                    self._spellings.setdefault(text, row.number)
        return names

    def _name(self, row: Row, field: str, text: str) -> str:
        name = "" if is_missing(text) else fold_name(text)
        reason = damage(name) if name else None
        if reason:
            self._add_problem(row, field, reason)
        elif name:
            self._good_names[text] = name
        elif field in REQUIRED:
            self._add_problem(row, field, "is empty; every row names one")
        return name

    def _doses(self) -> list[float | None]:
        doses: dict[str, float] = {}
        values: list[float | None] = []
        for row, text in zip(self._rows, self._cells(DOSE) or (), strict=True):
            value = doses.get(text)
            if value is None:
                value = self._dose(row, text)
                # A dose that is no good has a problem in each of its rows.
                if value is not None and value >= 0:
                    doses[text] = value
            values.append(value)
        return values

    def _dose(self, row: Row, text: str) -> float | None:
        if is_missing(text):
            self._add_problem(row, DOSE, f"is empty; give {self._concentrations.unit}, 0 for vehicle")
            return None
        reason = damage(text)
        try:
            if reason and "date" in reason:
                raise ValueError(reason)
            quantity = parse_quantity(text, self._mark)
            if quantity is not None and quantity.unit and not self._is_molar:
                raise ValueError(
                    f"'{text}' has a unit, but the results are in {self._concentrations.unit}; give numbers"
                )
            value = self._concentrations.read(text)
        except ValueError as error:
            self._add_problem(row, DOSE, str(error))
            return None
        if value < 0:
            hint = "a header of logarithms says so, such as log10_concentration_um"
            self._add_problem(row, DOSE, f"{text} is negative; give {self._concentrations.unit}, 0 for vehicle; {hint}")
        return value

    def _weights(self) -> list[float | None]:
        weights = self._numbers(WEIGHT)
        for row, text, weight in zip(self._rows, self._cells(WEIGHT) or (), weights, strict=False):
            if is_missing(text):
                self._add_problem(row, WEIGHT, "is empty; every row needs a weight with --weights column")
            elif weight is not None and weight <= 0:
                self._add_problem(row, WEIGHT, f"{weight:g} is not above 0; a well that must not count is `excluded`")
        return weights

    def _exclusions(self) -> list[str | None]:
        """Return why each well must not be fitted."""
        return [exclusion_reason(text) for text in self._cells("excluded") or [""] * len(self._rows)]

    def _well_names(self) -> list[str | None]:
        return [_well_name(text) for text in self._cells("well") or [""] * len(self._rows)]

    def _numbers(self, field: str) -> list[float | None]:
        """Return the numbers in a column, None for a missing one and for a problem."""
        cells, mark = self._cells(field), self._mark
        if cells is None:
            return [None] * len(self._rows)
        numbers = []
        for row, text in zip(self._rows, cells, strict=True):
            number = plain_number(text, mark)
            if number is None or not (number == 0 or MIN_SIZE < abs(number) < MAX_SIZE):
                number = self._number(row, field, text)
            numbers.append(number)
        return numbers

    def _number(self, row: Row, field: str, text: str) -> float | None:
        if is_missing(text):
            return None
        quantity = parse_quantity(text, self._mark)
        if text.lower() in _INFINITE:
            self._add_problem(row, field, f"'{text}' is not finite")
        elif quantity is None or quantity.unit:
            self._add_problem(row, field, f"'{text}' is not a number; give digits, a decimal mark and no unit")
        elif quantity.value and not MIN_SIZE < abs(float(quantity.value)) < MAX_SIZE:
            self._add_problem(row, field, f"'{text}' is beyond {MIN_SIZE:g} to {MAX_SIZE:g}; give it in another unit")
        else:
            return float(quantity.value)
        return None

    def notes(self) -> list[str]:
        """Return what was assumed about names and numbers."""
        notes = folding_notes(((row, text) for text, row in self._spellings.items()), "compound")
        column = self._concentrations
        if column.scale.is_log:
            notes.append(f"The column '{column.header}' was read as log10 of the concentration")
        elif column.scale.power not in (column.unit_power, None):
            notes.append(f"The concentrations of the column '{column.header}' were converted to {column.unit}")
        if self._ignores_weights:
            notes.append("The column 'weight' was not used; --weights column weights the wells by it")
        if self._mark is Mark.COMMA:
            notes.append("Commas in numbers were read as decimal commas")
        return notes


def _well_name(text: str) -> str | None:
    """Return the standard name of a well, or the text itself where it is none, because a table may name its own."""
    if not text or is_missing(text):
        return None
    try:
        return standard_well_name(text)
    except ValueError:
        return text
