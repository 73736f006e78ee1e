"""Texts in CSV files that a spreadsheet program would run as a formula, and their harmless form.

A program that opens a CSV file reads `=1+1`, `+1`, `-a` or `@name` as a formula, and a formula may fetch an address or
start a program. An apostrophe before such a text makes it a text (OWASP, "CSV Injection"). Numbers stay as they are.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r].", re.DOTALL)
"""The beginning of a text that needs an apostrophe. Apostrophes count with it, so that `plain_text` has one answer."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def neutral_text(text: str) -> str:
    """Return a text as a cell of a CSV file that no spreadsheet program runs: `=A1` becomes `'=A1`.

    A number such as `-1.5` and a single sign such as `-` are no formulas and stay. `plain_text` is the inverse.
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def plain_text(cell: str) -> str:
    """Return the text that `neutral_text` made harmless."""
    return cell[1:] if cell.startswith("'") and neutral_text(cell[1:]) == cell else cell
