"""What spreadsheets do to texts: names that became dates, barcodes in scientific notation, error values."""

from __future__ import annotations

import re
from functools import lru_cache

_MONTHS = (
    "jan feb mar mär mrz apr may mai jun jul aug sep sept oct okt nov dec dez january february march april june july "
    "august september october november december januar februar märz juni juli oktober dezember"
)
_MONTH = "|".join(sorted(_MONTHS.split(), key=len, reverse=True))
_DATE = re.compile(
    rf"(\d{{1,2}}[-. /]+({_MONTH})\.?([-. /]+\d{{2,4}})?|({_MONTH})\.?[-. /]+\d{{1,4}}"
    r"|\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?|\d{1,2}[./]\d{1,2}[./](\d{2}|\d{4})|\d{1,2}\.\d{1,2}\.)",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
_ERRORS = frozenset({"#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!", "#spill!", "#calc!", "#n/a"})
_MEMORY = 4096
"""Texts that are remembered, because the name of a compound is in every row of its wells."""


@lru_cache(_MEMORY)
def damage(text: str) -> str | None:
    """Return what a spreadsheet did to the text of a name, with the remedy, or None for an ordinary text."""
    # Names without these characters are the rule, and the patterns are slow.
    if text.isalpha():
        return None
    if _DATE.fullmatch(text):
        return f"'{text}' is a date: the spreadsheet changed a name; format the column as text and enter the name again"
    if _SCIENTIFIC.fullmatch(text):
        return (
            f"'{text}' is a long number in scientific notation, so its last digits are lost; "
            "format the column as text and enter it again"
        )
    if text.lower() in _ERRORS:
        return f"'{text}' is an error value of a spreadsheet; enter the name as text"
    return None
