"""Names in a table: one spelling for what looks alike, and a problem for names that differ in their letters' case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from gandl_shared.errors import Problem

MAX_LISTED_NAMES = 10
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_NUMBER = re.compile(r"0*([0-9]+)(?:\.0)?")
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u2032": "'", "\u02b9": "'", "\u201d": '"', "\u2033": '"'})


def fold_name(text: str) -> str:
    """Return a name in the Unicode form NFKC, with single blanks and without invisible characters."""
    if text.isascii() and "  " not in text and "\t" not in text and "\n" not in text:
        return text.strip()
    return " ".join(unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).split())


def likeness(name: str) -> str:
    """Return what names have in common that people do not tell apart.

    These are case, the kinds of dashes and primes, and, in numbers, zeros in front and `.0` behind, which spreadsheets
    and data frames drop or add.
    """
    number = _NUMBER.fullmatch(name)
    return number[1] if number else _DASHES.sub("-", name).translate(_QUOTES).casefold()


def folding_notes(spellings: Iterable[tuple[int, str]], column: str) -> list[str]:
    """Return a note per name that was written in several ways which were read as one, with a row of each."""
    rows: dict[str, dict[str, int]] = {}
    for row, text in spellings:
        rows.setdefault(fold_name(text), {}).setdefault(text, row)
    folded = {name: texts for name, texts in rows.items() if len(texts) > 1}
    notes = [
        f"{column} '{name}' is written in {len(texts)} ways that differ in blanks or Unicode form "
        f"(rows {', '.join(map(str, sorted(texts.values())))}); they were read as one"
        for name, texts in list(folded.items())[:MAX_LISTED_NAMES]
    ]
    more = len(folded) - len(notes)
    return [*notes, f"{more} more names of the column {column} were read as one in the same way"] if more else notes


def similar_names(names: Iterable[tuple[int, str]], source: str, column: str) -> Iterator[Problem]:
    """Yield a problem for each name that differs from an earlier one only by what `likeness` passes over."""
    first: dict[str, int] = {}
    for row, name in names:
        first.setdefault(name, row)
    groups: dict[str, str] = {}
    for name, row in first.items():
        other = groups.setdefault(likeness(name), name)
        if other != name:
            detail = (
                f"'{name}' and '{other}' in row {first[other]} differ only by upper and lower case, by the kind of a "
                "dash or by zeros; write them alike if they are one, and give them different names if they are not"
            )
            yield Problem(detail, file=source, row=row, field=column)
