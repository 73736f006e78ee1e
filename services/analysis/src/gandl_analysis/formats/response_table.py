"""A table of responses from anybody: CSV, one row a well, every problem reported at once by row and field."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from gandl_shared.errors import InvalidTable, NotFound, Problem, raise_if
from gandl_shared.plates.separators import separator_of

from gandl_analysis.pipeline.curves import CurveWell

REQUIRED = ("compound", "cell_line", "concentration_um", "response")
OPTIONAL = ("plate", "well", "off_distance", "excluded")
_SMALLEST, _LARGEST = 1e-100, 1e100
_MISSING = {"", "na", "nan", "null", "none"}
_NO, _YES = {"false", "no", "n", "0"}, {"true", "yes", "y", "1"}


def read_responses(path: Path) -> list[CurveWell]:
    """Rows of a CSV file with the columns `REQUIRED`, any of `OPTIONAL`, others ignored; names in any case.

    Commas, semicolons or tabs separate cells. An empty response (or NA, NaN) is a well without a measurement: it is
    kept and not fitted. A concentration of zero is a vehicle well of that compound. Raises NotFound, or InvalidTable
    with one problem a row and field (the header is row 1).
    """
    if not path.is_file():
        raise NotFound(f"table {path} is not there; give the path of a CSV file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = list(csv.reader(io.StringIO(text), delimiter=separator_of(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidTable(f"table {path.name} is not CSV text in UTF-8: {error}") from error
    if not any(any(cell.strip() for cell in line) for line in lines):
        raise InvalidTable(f"table {path.name} is empty; it needs the columns {', '.join(REQUIRED)}")
    return _rows(lines, path.name)


def _rows(lines: list[list[str]], file: str) -> list[CurveWell]:
    header = [cell.strip().lower() for cell in lines[0]]
    wrong = [Problem("column is missing", file=file, row=1, field=n) for n in REQUIRED if n not in header]
    wrong += [Problem("column is there twice", file=file, row=1, field=n) for n in sorted(_twice(header))]
    raise_if(wrong, InvalidTable, "table cannot be used")
    problems: list[Problem] = []
    wells: list[CurveWell] = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line]
        if not any(cells):
            continue
        if len(cells) != len(header):
            problems.append(Problem(f"{len(cells)} cells where the header has {len(header)}", file=file, row=number))
            continue
        wells.append(_Row(dict(zip(header, cells, strict=True)), file, number, problems).well())
    if not wells and not problems:
        problems.append(Problem("no rows below the header", file=file, row=1))
    problems += [*_repeated(wells, file), *_copied(wells, file)]
    raise_if(problems, InvalidTable, "table cannot be used")
    return wells


def _twice(header: list[str]) -> set[str]:
    return {name for name in header if name in (*REQUIRED, *OPTIONAL) and header.count(name) > 1}


class _Row:
    """One row; what is wrong with it goes to `problems`."""

    def __init__(self, cells: Mapping[str, str], file: str, number: int, problems: list[Problem]) -> None:
        self.cells, self.file, self.number, self.problems = cells, file, number, problems

    def well(self) -> CurveWell:
        return CurveWell(
            compound=self.name("compound"),
            cell_line=self.name("cell_line"),
            concentration=self.concentration(),
            response=self.amount("response"),
            plate=self.cells.get("plate") or None,
            well=self.cells.get("well") or None,
            off_distance=self.amount("off_distance"),
            excluded=self.excluded(),
            row=self.number,
        )

    def wrong(self, field: str, detail: str) -> None:
        self.problems.append(Problem(detail, file=self.file, row=self.number, field=field))

    def name(self, field: str) -> str:
        if not self.cells[field]:
            self.wrong(field, "is empty; every row names one")
        return self.cells[field]

    def concentration(self) -> float | None:
        value = self.amount("concentration_um")
        if value is None and self.cells["concentration_um"].lower() in _MISSING:
            self.wrong("concentration_um", "is empty; give µM, 0 for vehicle")
        if value is not None and value < 0:
            self.wrong("concentration_um", f"{self.cells['concentration_um']} is negative; give µM, 0 for vehicle")
        return value

    def excluded(self) -> str | None:
        """Why the well is not to be fitted: any text but a word for no; a bare word for yes becomes "excluded"."""
        text = self.cells.get("excluded", "")
        if text.lower() in _MISSING | _NO:
            return None
        return "excluded" if text.lower() in _YES else text

    def amount(self, field: str) -> float | None:
        text = self.cells.get(field, "")
        if text.lower() in _MISSING:
            return None
        try:
            value = float(text)
        except ValueError:
            self.wrong(field, f"'{text}' is not a number; use a point for decimals and no unit")
            return None
        if not math.isfinite(value):
            self.wrong(field, f"'{text}' is not finite")
            return None
        if value and not _SMALLEST < abs(value) < _LARGEST:
            self.wrong(field, f"'{text}' is beyond {_SMALLEST:g} to {_LARGEST:g}; give it in another unit")
            return None
        return value


def _repeated(wells: list[CurveWell], file: str) -> list[Problem]:
    """Two rows for one well of one plate."""
    first: dict[tuple[str, str], int | None] = {}
    problems = []
    for w in wells:
        if w.plate is None or w.well is None:
            continue
        key = (w.plate, w.well)
        if key in first:
            problems.append(
                Problem(f"{w.plate} {w.well} is in row {first[key]} already", file=file, row=w.row, field="well")
            )
        first.setdefault(key, w.row)
    return problems


def _copied(wells: list[CurveWell], file: str) -> Iterator[Problem]:
    """Rows that were pasted again look like replicates of less spread than there is, beside which every change is
    certain. Equal responses at one dose may be so; at all doses of a curve that changes they are not."""
    groups: dict[tuple[str, str], dict[float, list[CurveWell]]] = {}
    for w in wells:
        if w.concentration is not None and w.response is not None and not w.excluded:
            groups.setdefault((w.compound, w.cell_line), {}).setdefault(w.concentration, []).append(w)
    for (compound, cell_line), doses in groups.items():
        counts = [Counter(w.response for w in same) for same in doses.values()]
        pasted = math.gcd(*(n for count in counts for n in count.values())) > 1
        copied = all(len(count) == 1 and count.total() > 1 for count in counts)
        if (pasted or copied) and len({frozenset(count) for count in counts}) > 1:
            same = next(iter(doses.values()))
            first, again, *_ = [w for w in same if w.response == same[0].response]
            detail = (
                f"repeats row {first.row}, and so it is with all rows at every dose of {compound} in {cell_line}: "
                "copies are no replicates; give each measured well once"
            )
            yield Problem(detail, file=file, row=again.row, field="response")
