"""A table of responses from any source: a file with one row per well; all its problems are reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.plates.columns import choose_column, column_key, standard_column
from gandl_shared.plates.tables import Table, TableForm, read_table
from gandl_shared.plates.tables.names import similar_names
from gandl_shared.plates.tables.quantities.doses import grouping_note

from gandl_analysis.formats.response_columns import REQUIRED, ResponseColumns, weight_columns
from gandl_analysis.pipeline.curves.weighting import WEIGHT
from gandl_analysis.pipeline.curves.wells import CurveWell, group_by_compound

OPTIONAL = ("plate", "well", "off_distance", "excluded")
_NAMES = ("compound", "cell_line", "plate")


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
    reader = ResponseColumns(table, columns, unit, has_weights=has_weights)
    wells = reader.wells()
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


def _missing_weights(table: Table) -> list[Problem]:
    """Return a problem unless there is one column of weights."""
    n = len(weight_columns(table))
    detail = f"--weights column needs one column of this name, and there are {n}"
    return [] if n == 1 else [Problem(detail, file=table.source, row=table.header_row, field=WEIGHT)]


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
        first: dict[str, int] = {}
        for well, name in zip(wells, map(attrgetter(column), wells), strict=True):
            first.setdefault(name or "", well.table_row or 0)
        yield from similar_names(((row, name) for name, row in first.items()), file, column)


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
