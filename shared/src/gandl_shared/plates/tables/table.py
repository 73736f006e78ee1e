"""A table of wells as the reader returns it: a header, rows of texts with their numbers, and what was assumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gandl_shared.errors import Invalid, Problem


@dataclass(frozen=True, kw_only=True)
class TableForm:
    """What a table is about.

    `name` stands in messages ("plate map"), `error` is raised, and `column_of` returns our name of a column from its
    cell in the header, or None for a further column.
    """

    name: str
    error: type[Invalid]
    column_of: Callable[[str], str | None]


class Row(NamedTuple):
    """A row below the header: its number in the file (the first row is 1), and one text per column."""

    number: int
    cells: list[str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table whose cells are texts without blanks around them.

    `rows` are not blank and as long as `header`; `short_rows` maps the numbers of those that were filled up to their
    number of cells. `separator` is None for a workbook. `notes` say what was assumed, `problems` what cannot be read.
    """

    source: str
    header: tuple[str, ...]
    header_row: int
    rows: tuple[Row, ...]
    separator: str | None
    short_rows: dict[int, int]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def column(self, index: int) -> list[tuple[int, str]]:
        """Return the cells of one column, each with the number of its row."""
        return [(row.number, row.cells[index]) for row in self.rows]
