"""Compounds of the user's choosing, from a CSV with the columns of `truth.csv`; one screen's truth designs another."""

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
    """Read `compound[, cell_line, ec50_um, slope, max_rescue, toxicity_ec50_um, toxicity_slope]`, in order of name.

    An empty EC50 means no such effect, an empty slope or plateau its default, an empty cell line all lines without
    a row of their own. Other columns are ignored. Raises NotFound, or InvalidTable naming every bad row and field.
    """
    rows = _rows(path)
    problems: list[Problem] = []
    responses: dict[str, dict[str, Response]] = {}
    for number, row in enumerate(rows, start=2):
        name, line = (row.get("compound") or "").strip(), (row.get("cell_line") or "").strip()
        found = [Problem("no name", file=path.name, row=number, field="compound")] if not name else []
        response, wrong = _response(row, path.name, number)
        found += wrong
        if line in responses.get(name, {}):
            found.append(Problem(f"{name} has two rows for {line or 'all lines'}", file=path.name, row=number))
        responses.setdefault(name, {})[line] = response
        problems += found
    raise_if(problems, InvalidTable, "the table of compounds cannot be used")
    return tuple(_compound(name, by_line) for name, by_line in responses.items())


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
        raise InvalidTable(f"{path.name} has no column 'compound'; it takes {', '.join(COLUMNS)}")
    if not rows:
        raise InvalidTable(f"{path.name} has no rows; give one a compound")
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


def _compound(name: str, by_line: Mapping[str, Response]) -> Compound:
    """Lines without a row of their own take the row without a line, and where there is none, no effect at all."""
    default = by_line.get("", Response())
    return Compound(name, default, {line: response for line, response in by_line.items() if line})
