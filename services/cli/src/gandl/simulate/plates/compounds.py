"""Compounds from a CSV file with the columns of `truth.csv`, so that the truth of one screen can design another."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from gandl_shared.errors import InvalidTable, NotFound, Problem, raise_if

from gandl.simulate.cells.pharmacology import Response
from gandl.simulate.plates.design import Compound

NUMBERS = ("ec50_um", "slope", "max_rescue", "toxicity_ec50_um", "toxicity_slope")
COLUMNS = ("compound", "cell_line", *NUMBERS)


def read_compounds(path: Path) -> tuple[Compound, ...]:
    """Read `compound[, cell_line, ec50_um, slope, max_rescue, toxicity_ec50_um, toxicity_slope]`, in the file's order.

    An empty EC50 means that there is no such effect, and an empty slope or plateau has its default. A row without a
    cell line is for all cell lines without a row of their own. Other columns are ignored. Raises NotFound, or
    InvalidTable naming every bad row and field.
    """
    rows = _rows(path)
    problems: list[Problem] = []
    responses: dict[str, dict[str, Response]] = {}
    for number, row in enumerate(rows, start=2):
        name, cell_line = (row.get("compound") or "").strip(), (row.get("cell_line") or "").strip()
        if not name:
            problems.append(Problem("the compound has no name", file=path.name, row=number, field="compound"))
        response, response_problems = _response(row, path.name, number)
        problems += response_problems
        if cell_line in responses.get(name, {}):
            detail = f"{name} has two rows for {cell_line or 'all cell lines'}"
            problems.append(Problem(detail, file=path.name, row=number))
        responses.setdefault(name, {})[cell_line] = response
    raise_if(problems, InvalidTable, "the table of compounds cannot be used")
    return tuple(_compound(name, by_cell_line) for name, by_cell_line in responses.items())


def _rows(path: Path) -> Sequence[Mapping[str, str | None]]:
    if not path.is_file():
        raise NotFound(f"there is no table of compounds {path}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header, rows = reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidTable(f"{path.name} is not a CSV text file: {error}") from error
    if "compound" not in header:
        raise InvalidTable(f"{path.name} has no column 'compound'; a table of compounds has {', '.join(COLUMNS)}")
    if not rows:
        raise InvalidTable(f"{path.name} has no rows; give one row per compound")
    return rows


def _response(row: Mapping[str, str | None], file: str, number: int) -> tuple[Response, list[Problem]]:
    values, problems = {}, []
    for field in NUMBERS:
        text = (row.get(field) or "").strip()
        try:
            if text:
                values[field] = float(text)
        except ValueError:
            problems.append(Problem(f"{text!r} is not a number", file=file, row=number, field=field))
    response = Response(**values)
    problems += [Problem(p.detail, file=file, row=number, field=p.field) for p in response.problems("the value")]
    return response, problems


def _compound(name: str, by_cell_line: Mapping[str, Response]) -> Compound:
    """Return a compound. Cell lines without a row have the row without a cell line, or else no effect at all."""
    default = by_cell_line.get("", Response())
    return Compound(name, default, {cell_line: response for cell_line, response in by_cell_line.items() if cell_line})
