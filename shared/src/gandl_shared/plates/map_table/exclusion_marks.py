"""Cells that say that a well is left out, and columns of a plate map that say so although a map leaves nothing out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gandl_shared.errors import Problem
from gandl_shared.plates.columns import column_key
from gandl_shared.plates.tables.quantities.numbers import is_missing
from gandl_shared.plates.tables.table import Table

_COLUMNS = frozenset(
    {"exclude", "excluded", "is_excluded", "exclusion", "exclusion_reason", "omit", "omitted", "discard", "discarded"}
)
_NO = frozenset({"0", "false", "no", "n", "f", "0.0"})
_YES = frozenset({"1", "true", "yes", "y", "t", "x", "1.0"})


class MarkedCell(NamedTuple):
    """The row of a cell and its text."""

    row: int
    text: str


def exclusion_reason(text: str) -> str | None:
    """Return why a well must not be fitted: any text but a word for no; a mere yes becomes "excluded"."""
    if not text or is_missing(text) or text.lower() in _NO:
        return None
    return "excluded" if text.lower() in _YES else text


def is_exclusion_column(name: str) -> bool:
    """Return whether a column says by its name which wells are left out."""
    return column_key(name) in _COLUMNS


def exclusion_problems(table: Table) -> list[Problem]:
    """Return a problem for each column of a plate map that marks wells to leave out. Blanks and words for no are none.

    They would otherwise count as all others do, and the mark would be a mere note beside their scores.
    """
    return [
        problem
        for i, name in enumerate(table.header)
        if is_exclusion_column(name)
        for problem in mark_problem(table.source, name, (MarkedCell(row.number, row.cells[i]) for row in table.rows))
    ]


def mark_problem(source: str, column: str, cells: Iterable[MarkedCell]) -> list[Problem]:
    """Return one problem that counts the marks in a column, at the row of the first one; none without a mark."""
    marks = [cell for cell in cells if exclusion_reason(cell.text.strip()) is not None]
    if not marks:
        return []
    count = "1 row" if len(marks) == 1 else f"{len(marks)} rows"
    detail = (
        f"'{marks[0].text}' marks a well to leave out ({count}), and a plate map leaves out no well by such a column; "
        "write empty as the role of these wells, or remove the column and leave wells out of the results: write the "
        "reason into the column excluded of wells.csv, and run gandl analyse on the folder"
    )
    return [Problem(detail, file=source, row=marks[0].row, field=column)]
