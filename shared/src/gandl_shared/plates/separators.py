"""The separator of tables that people export from spreadsheets: a comma, a semicolon or a tab."""

from __future__ import annotations


def separator_of(text: str) -> str:
    """Return the separator that is most frequent in the first line, or a comma if there is none."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return max(",;\t", key=first.count)
