"""A table of responses from any source: a CSV file with one row per well; all its problems are reported at once."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import InvalidTable, NotFound, Problem, raise_if
from gandl_shared.plates.separators import separator_of

from gandl_analysis.pipeline.curves.wells import CurveWell

REQUIRED = ("compound", "cell_line", "concentration_um", "response")
OPTIONAL = ("plate", "well", "off_distance", "excluded")
_MIN_SIZE, _MAX_SIZE = 1e-100, 1e100
"""Squares of smaller or larger numbers leave the range of floating point."""
_MISSING = {"", "na", "nan", "null", "none"}
_NO, _YES = {"false", "no", "n", "0"}, {"true", "yes", "y", "1"}


def read_responses(path: Path) -> list[CurveWell]:
    """Return the wells of a CSV file with the columns `REQUIRED` and any of `OPTIONAL`; other columns are ignored.

    Names of columns may be in any case. Commas, semicolons or tabs separate cells. An empty response (or NA, NaN) is a
    well without a measurement: it is not fitted, but it is part of the result. A concentration of zero is a vehicle
    well of that compound. Raises NotFound, or InvalidTable with one problem per row and field (the header is row 1).
    """
    if not path.is_file():
        raise NotFound(f"table {path} does not exist; give the path of a CSV file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), delimiter=separator_of(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidTable(f"table {path.name} is not CSV text in UTF-8: {error}") from error
    if not any(any(cell.strip() for cell in row) for row in rows):
        raise InvalidTable(f"table {path.name} is empty; it needs the columns {', '.join(REQUIRED)}")
    return _wells(rows, path.name)


def _wells(rows: Sequence[Sequence[str]], file: str) -> list[CurveWell]:
    header = [cell.strip().lower() for cell in rows[0]]
    raise_if(_header_problems(header, file), InvalidTable, "table cannot be used")
    problems: list[Problem] = []
    wells: list[CurveWell] = []
    for number, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        # A row of another length has shifted cells: none of them can be trusted.
        if len(cells) != len(header):
            problems.append(Problem(f"{len(cells)} cells where the header has {len(header)}", file=file, row=number))
            continue
        record = _Record(cells=dict(zip(header, cells, strict=True)), file=file, row=number, problems=problems)
        wells.append(record.well())
    if not wells and not problems:
        problems.append(Problem("no rows below the header", file=file, row=1))
    problems += [*_repeated_wells(wells, file), *_copied_rows(wells, file)]
    raise_if(problems, InvalidTable, "table cannot be used")
    return wells


def _header_problems(header: Sequence[str], file: str) -> list[Problem]:
    """Return one problem per column that is missing, or present twice."""
    missing = [name for name in REQUIRED if name not in header]
    twice = sorted(name for name in (*REQUIRED, *OPTIONAL) if header.count(name) > 1)
    return [
        *(Problem("column is missing", file=file, row=1, field=name) for name in missing),
        *(Problem("column occurs twice", file=file, row=1, field=name) for name in twice),
    ]


@dataclass(frozen=True, kw_only=True)
class _Record:
    """The cells of one row; a problem of a cell is appended to `problems`."""

    cells: Mapping[str, str]
    file: str
    row: int
    problems: list[Problem]

    def well(self) -> CurveWell:
        """Return the well of this row. It is meaningless if there is a problem."""
        return CurveWell(
            compound=self._name("compound"),
            cell_line=self._name("cell_line"),
            concentration=self._concentration(),
            response=self._number("response"),
            plate=self.cells.get("plate") or None,
            well=self.cells.get("well") or None,
            off_distance=self._number("off_distance"),
            excluded=self._exclusion(),
            table_row=self.row,
        )

    def _add_problem(self, field: str, detail: str) -> None:
        self.problems.append(Problem(detail, file=self.file, row=self.row, field=field))

    def _name(self, field: str) -> str:
        if not self.cells[field]:
            self._add_problem(field, "is empty; every row names one")
        return self.cells[field]

    def _concentration(self) -> float | None:
        field = "concentration_um"
        value = self._number(field)
        if value is None and self.cells[field].lower() in _MISSING:
            self._add_problem(field, "is empty; give µM, 0 for vehicle")
        if value is not None and value < 0:
            self._add_problem(field, f"{self.cells[field]} is negative; give µM, 0 for vehicle")
        return value

    def _exclusion(self) -> str | None:
        """Return why the well must not be fitted: any text but a word for no; a mere yes becomes "excluded"."""
        text = self.cells.get("excluded", "")
        if text.lower() in _MISSING | _NO:
            return None
        return "excluded" if text.lower() in _YES else text

    def _number(self, field: str) -> float | None:
        """Return the number in a cell, None for a missing one and for a problem."""
        text = self.cells.get(field, "")
        if text.lower() in _MISSING:
            return None
        try:
            value = float(text)
        except ValueError:
            self._add_problem(field, f"'{text}' is not a number; use a point for decimals and no unit")
            return None
        if not math.isfinite(value):
            self._add_problem(field, f"'{text}' is not finite")
            return None
        if value and not _MIN_SIZE < abs(value) < _MAX_SIZE:
            self._add_problem(field, f"'{text}' is beyond {_MIN_SIZE:g} to {_MAX_SIZE:g}; give it in another unit")
            return None
        return value


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


def _copied_rows(wells: Sequence[CurveWell], file: str) -> Iterator[Problem]:
    """Yield a problem per curve whose rows were pasted again.

    Copies look like replicates that scatter less than real ones, so that every change seems certain. Equal responses at
    one dose occur in real data; at all doses of a curve that changes with dose they do not.
    """
    curves: dict[tuple[str, str], dict[float, list[CurveWell]]] = {}
    for well in wells:
        if well.concentration is not None and well.response is not None and not well.excluded:
            doses = curves.setdefault((well.compound, well.cell_line), {})
            doses.setdefault(well.concentration, []).append(well)
    for (compound, cell_line), doses in curves.items():
        counts = [Counter(well.response for well in replicates) for replicates in doses.values()]
        # A block pasted k times makes every response occur a multiple of k times.
        pasted = math.gcd(*(n for count in counts for n in count.values())) > 1
        # A single response copied to all wells of its dose, any number of times per dose.
        equal = all(len(count) == 1 and count.total() > 1 for count in counts)
        changes = len({frozenset(count) for count in counts}) > 1
        if (pasted or equal) and changes:
            replicates = next(iter(doses.values()))
            first, again, *_ = [well for well in replicates if well.response == replicates[0].response]
            detail = (
                f"repeats row {first.table_row}, and so do all rows at every dose of {compound} in {cell_line}: "
                "copies are not replicates; give each measured well once"
            )
            yield Problem(detail, file=file, row=again.table_row, field="response")
