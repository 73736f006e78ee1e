"""What separates the cells of a table that people export from spreadsheets: a comma, a semicolon or a tab."""

from __future__ import annotations


def separator_of(text: str) -> str:
    """The one of the three that is most frequent in the first line; a comma where none is there."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return max(",;\t", key=first.count)
