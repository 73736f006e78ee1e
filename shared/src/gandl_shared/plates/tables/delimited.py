"""Delimited text to rows: the separator is stated by the line `sep=`, or it is the one that makes sense of a header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence

from gandl_shared.plates.tables.table import TableForm

SEPARATORS = ",;\t"
MAX_HEADER_ROW = 50
"""A header is searched in so many first rows; titles of reports stand above it."""
_STATEMENT = re.compile(r'\s*"?sep=(.)"?[,;\t]*\r?\n?', re.IGNORECASE)

Rows = list[list[str]]


def rows_of_text(text: str, source: str, form: TableForm) -> tuple[Rows, str]:
    """Return all rows of a text as stripped cells, and the separator. Row 1 of the file is the first.

    Raises the error of the form for quotes that do not close.
    """
    stated = _STATEMENT.match(text)
    if stated:
        # The line stays a row, so that rows are counted as in the file.
        return [[], *_split(text[stated.end() :], stated[1], source, form)], stated[1]
    separator = separator_of(text, form.column_of)
    return _split(text, separator, source, form), separator


def separator_of(text: str, column_of: Callable[[str], str | None]) -> str:
    """Return the separator with which one of the first rows has the most columns of a known name.

    Without any such column it is the separator that is most frequent in the first line, and a comma if there is none.
    """
    lines = [line for line in text.lstrip("\r\n").splitlines()[:MAX_HEADER_ROW] if line]
    first = lines[0] if lines else ""

    def rank(separator: str) -> tuple[int, int]:
        return max((known_columns(_cells(line, separator), column_of) for line in lines), default=0), first.count(
            separator
        )

    return max(SEPARATORS, key=rank)


def known_columns(cells: Sequence[str], column_of: Callable[[str], str | None]) -> int:
    """Return the number of different columns of ours that the cells of a row name."""
    return len({column_of(cell) for cell in cells} - {None})


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(separator)]


def _split(text: str, separator: str, source: str, form: TableForm) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: Rows = []
    try:
        for cells in reader:
            rows.append([cell.strip() for cell in cells])
    except csv.Error as error:
        raise form.error(
            f"{form.name} {source} is not CSV text: {error} in the row that begins at line {reader.line_num}; "
            "check the quotes there"
        ) from error
    return rows
