"""A table of responses from any source: a file with one row per well; all its problems are reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.plates.columns import COLUMN_NAMES, DOSE, choose_column, column_key, plain_column, standard_column
from gandl_shared.plates.tables import Row, Table, TableForm, read_table
from gandl_shared.plates.tables.damage import damage
from gandl_shared.plates.tables.names import fold_name, folding_notes, similar_names
from gandl_shared.plates.tables.quantities.concentrations import MAX_SIZE, MIN_SIZE, ConcentrationColumn
from gandl_shared.plates.tables.quantities.doses import grouping_note
from gandl_shared.plates.tables.quantities.numbers import Mark, decimal_mark, is_missing, parse_quantity, plain_number
from gandl_shared.plates.tables.quantities.units import DoseScale, dose_scale, unit_power
from gandl_shared.plates.well_names import standard_well_name

from gandl_analysis.pipeline.curves.wells import CurveWell, group_by_compound

REQUIRED = ("compound", "cell_line", DOSE, "response")
OPTIONAL = ("plate", "well", "off_distance", "excluded")
WEIGHT = "weight"
"""The column of weights, which is read only where the user asks for it: it may be that of an animal."""
_NUMBERS = (DOSE, "response", "off_distance")
_NAMES = ("compound", "cell_line", "plate")
_UNITLESS = frozenset({"treatment_conc"})
"""The names of a concentration in plate maps that state no unit themselves."""
_NO, _YES = {"false", "no", "n", "0"}, {"true", "yes", "y", "1"}
_INFINITE = {"inf", "-inf", "+inf", "infinity", "-infinity", "∞"}


@dataclass(frozen=True)
class ResponseTable:
    """The wells of a table in its order, and what was assumed while it was read."""

    wells: tuple[CurveWell, ...]
    notes: tuple[str, ...]


def read_responses(
    path: Path, *, unit: str | None = None, sheet: str | None = None, has_weights: bool = False
) -> ResponseTable:
    """Return the wells of a file with the columns `REQUIRED` and any of `OPTIONAL`, in any form of a plate map.

    `unit` is that of the results (None: µM) and of a column whose header names no unit, such as `concentration`.
    Headers and cells with a molar unit are converted to it; `concentration_um` with another unit is refused.
    `has_weights`: the column `weight` holds relative weights above zero.
    `sheet` chooses the sheet of a workbook. Further columns are kept. An empty response (or NA, NaN) is a well without
    a measurement: it is not fitted, but it is part of the result. A concentration of zero is a vehicle well of that
    compound. Raises NotFound, or InvalidTable with one problem per row and field.
    """
    table = read_table(path, FORM, sheet)
    problems, notes = list(table.problems), list(table.notes)
    columns = _columns(table, problems, notes)
    missing = [
        Problem(f"column is missing; the header is: {', '.join(table.header)}", file=table.source, row=1, field=name)
        for name in REQUIRED
        if name not in columns
    ]
    missing += _missing_weights(table) if has_weights else []
    raise_if([*missing, *problems] if missing else (), InvalidTable, "table cannot be used")
    reader = _Reader(table, columns, unit, has_weights=has_weights)
    wells = tuple(reader.well(row) for row in table.rows if row.number not in table.short_rows)
    problems += [*_short_rows(table), *reader.problems, *_repeated_wells(wells, table.source)]
    problems += _similar_names(wells, table.source)
    raise_if(sorted(problems, key=lambda problem: problem.row or 0), InvalidTable, "table cannot be used")
    return ResponseTable(wells, (*notes, *reader.notes(), *_notes(wells)))


def _response_column(name: str) -> str | None:
    """Return our name of a column of responses, or None for a further column."""
    key = column_key(name)
    if key in (*REQUIRED, *OPTIONAL):
        return key
    column = standard_column(name)
    return column if column in (*REQUIRED, *OPTIONAL) else None


FORM = TableForm(name="table", error=InvalidTable, column_of=_response_column)


def _columns(table: Table, problems: list[Problem], notes: list[str]) -> dict[str, int]:
    indices: dict[str, list[int]] = {}
    for i, name in enumerate(table.header):
        column = _response_column(name)
        if column is not None:
            indices.setdefault(column, []).append(i)
    return {column: choose_column(table, column, several, problems, notes) for column, several in indices.items()}


def _header_scale(header: str) -> DoseScale:
    """Return how a column of concentrations is scaled; its power is None where the header states no unit."""
    if column_key(header) in COLUMN_NAMES:
        return DoseScale(None if column_key(header) in _UNITLESS else 0)
    return dose_scale(plain_column(header)) or DoseScale(None)


def _weight_columns(table: Table) -> list[int]:
    return [i for i, name in enumerate(table.header) if column_key(name) == WEIGHT]


def _missing_weights(table: Table) -> list[Problem]:
    """Return a problem unless there is one column of weights."""
    n = len(_weight_columns(table))
    detail = f"--weights column needs one column of this name, and there are {n}"
    return [] if n == 1 else [Problem(detail, file=table.source, row=table.header_row, field=WEIGHT)]


class _Reader:
    """Turn rows into wells; `problems` collects what is wrong with their cells."""

    def __init__(self, table: Table, columns: dict[str, int], unit: str | None, *, has_weights: bool) -> None:
        self._table = table
        self._ignores_weights = not has_weights and bool(_weight_columns(table))
        self._columns = {**columns, WEIGHT: _weight_columns(table)[0]} if has_weights else columns
        self._further = [(i, name) for i, name in enumerate(table.header) if i not in self._columns.values()]
        self._spellings: list[tuple[int, str]] = []
        self._names: dict[str, str] = {}
        self._doses: dict[str, float] = {}
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

    def well(self, row: Row) -> CurveWell:
        """Return the well of a row. It is meaningless if there is a problem."""
        return CurveWell(
            compound=self._name(row, "compound"),
            cell_line=self._name(row, "cell_line"),
            concentration=self._concentration(row),
            response=self._number(row, "response"),
            plate=self._name(row, "plate") or None,
            well=_well_name(self._cell(row, "well")),
            off_distance=self._number(row, "off_distance"),
            excluded=self._exclusion(row),
            weight=self._weight(row),
            table_row=row.number,
            metadata={name: row.cells[i] for i, name in self._further},
        )

    def _cell(self, row: Row, column: str) -> str:
        index = self._columns.get(column)
        return "" if index is None else row.cells[index]

    def _add_problem(self, row: Row, field: str, detail: str) -> None:
        name = self._table.header[self._columns[field]]
        self.problems.append(Problem(detail, file=self._table.source, row=row.number, field=name))

    def _name(self, row: Row, field: str) -> str:
        index = self._columns.get(field)
        if index is None:
            return ""
        text = row.cells[index]
        name = self._names.get(text)
        if name is None:
            name = "" if is_missing(text) else fold_name(text)
            reason = damage(name) if name else None
            if reason:
                self._add_problem(row, field, reason)
            elif name:
                # The wells of a compound repeat its name, which is good once it was.
                self._names[text] = name
            elif field in REQUIRED:
                self._add_problem(row, field, "is empty; every row names one")
        if field == "compound" and name:
            self._spellings.append((row.number, text))
        return name

    def _concentration(self, row: Row) -> float | None:
        text = self._cell(row, DOSE)
        if text in self._doses:
            return self._doses[text]
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
        else:
            self._doses[text] = value
        return value

    def _weight(self, row: Row) -> float | None:
        if WEIGHT not in self._columns:
            return None
        weight = self._number(row, WEIGHT)
        if is_missing(self._cell(row, WEIGHT)):
            self._add_problem(row, WEIGHT, "is empty; every row needs a weight with --weights column")
        elif weight is not None and weight <= 0:
            self._add_problem(row, WEIGHT, f"{weight:g} is not above 0; a well that must not count is `excluded`")
        return weight

    def _exclusion(self, row: Row) -> str | None:
        """Return why the well must not be fitted: any text but a word for no; a mere yes becomes "excluded"."""
        text = self._cell(row, "excluded")
        if not text or is_missing(text) or text.lower() in _NO:
            return None
        return "excluded" if text.lower() in _YES else text

    def _number(self, row: Row, field: str) -> float | None:
        """Return the number in a cell, None for a missing one and for a problem."""
        index = self._columns.get(field)
        if index is None:
            return None
        text = row.cells[index]
        number = plain_number(text, self._mark)
        if number is not None and (number == 0 or MIN_SIZE < abs(number) < MAX_SIZE):
            return number
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
        notes = folding_notes(self._spellings, "compound")
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
    if is_missing(text):
        return None
    try:
        return standard_well_name(text)
    except ValueError:
        return text


def _short_rows(table: Table) -> list[Problem]:
    """Return a problem per row that ends early: its last cell may be the response."""
    return [
        Problem(f"row {row} has {n} cells, the header {len(table.header)}; complete it", file=table.source, row=row)
        for row, n in table.short_rows.items()
    ]


def _repeated_wells(wells: Sequence[CurveWell], file: str) -> Iterator[Problem]:
    """Yield a problem per row whose well of a plate is in an earlier row."""
    first: dict[tuple[str, str], int | None] = {}
    for well in wells:
        if well.plate is None or well.well is None:
            continue
        key = (well.plate, well.well)
        if key in first:
            detail = f"{well.plate} {well.well} is in row {first[key]} already"
            yield Problem(detail, file=file, row=well.table_row, field="well")
        first.setdefault(key, well.table_row)


def _similar_names(wells: Sequence[CurveWell], file: str) -> Iterator[Problem]:
    for column in _NAMES:
        names = [(well.table_row or 0, getattr(well, column) or "") for well in wells]
        yield from similar_names(names, file, column)


def _notes(wells: Sequence[CurveWell]) -> Iterator[str]:
    """Yield what was assumed about doses and replicates."""
    doses: dict[str, list[float]] = {}
    for well in wells:
        if well.concentration is not None:
            doses.setdefault(well.compound, []).append(well.concentration)
    note = grouping_note(doses)
    if note:
        yield note
    for compound in group_by_compound(wells):
        if compound.equal_wells is not None:
            first, second = compound.equal_wells
            yield (
                f"Row {second.table_row} repeats row {first.table_row}, and so do all rows at every dose of "
                f"{compound.name} in {compound.cell_line}. If rows were copied, give each measured well once"
            )
