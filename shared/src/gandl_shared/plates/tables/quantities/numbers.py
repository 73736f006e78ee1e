"""Numbers in the cells of a table: decimal points or commas, decided for the whole file and never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from gandl_shared.errors import Problem

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "<na>", "-", "--", "–", "—"})
"""What programs write into a cell without a value."""
_LONGEST = max(map(len, MISSING))
_NUMBER = re.compile(r"([+-]?)([0-9][0-9.,]*|[.,][0-9]+)(?:[eE]([+-]?[0-9]{1,3}))?\s*([^\d\s_.,+-][^\d]*)?")
_BLANK_GROUPS = re.compile(r"(?<![0-9.,])([0-9]{1,3})((?:[ '’][0-9]{3})+)(?![0-9])")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")
_SHAPES = (
    (re.compile(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]*|[0-9]{1,3}(,[0-9]{3}){2,}"), "groups and point"),
    (re.compile(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]*|[0-9]{1,3}(\.[0-9]{3}){2,}"), "groups and comma"),
    (re.compile(r"[0-9]*\.[0-9]+|[0-9]+\."), "point"),
    (re.compile(r"[0-9]*,[0-9]+|[0-9]+,"), "comma"),
)

_PLAIN_POINT = re.compile(r"[+-]?(?:[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})|0\.[0-9]{3})(?:[eE][+-]?[0-9]{1,3})?")
"""A number with a point that cannot separate thousands, as programs write most numbers."""
_GROUP_MARKS = (" ", "'", "’")
_SWAP = str.maketrans(".,", ",.")
_MEMORY = 4096
"""Texts whose number is remembered: doses and controls occur many times in a table."""


class Mark(StrEnum):
    """The decimal mark of a file."""

    POINT = "point"
    COMMA = "comma"


@dataclass(frozen=True)
class Quantity:
    """A number as it is written, with the unit behind it, which is empty if there is none."""

    value: Decimal
    unit: str


class Digits(StrEnum):
    """What the digits of a number say about the decimal mark of its file."""

    PLAIN = "plain"
    POINT = "point"
    COMMA = "comma"
    GROUPS_AND_POINT = "groups and point"
    GROUPS_AND_COMMA = "groups and comma"
    POINT_OR_GROUP = "point or group"
    COMMA_OR_GROUP = "comma or group"
    NONE = "none"


def is_missing(text: str) -> bool:
    """Return True for a cell that holds no value."""
    # The length is asked first, because large tables ask for each of their cells.
    return len(text) <= _LONGEST and text.lower() in MISSING


def digits_of(text: str) -> Digits:
    """Return what a number says about the decimal mark. `1,000` may be a thousand or one, so it says nothing alone."""
    if _PLAIN_POINT.fullmatch(text):
        return Digits.POINT
    match = _NUMBER.fullmatch(_plain(text))
    if match is None:
        return Digits.NONE
    digits = match[2]
    if "." not in digits and "," not in digits:
        return Digits.PLAIN
    group = _GROUPED.fullmatch(digits)
    if group:
        return Digits.POINT_OR_GROUP if group[1] == "." else Digits.COMMA_OR_GROUP
    return next((Digits(shape) for pattern, shape in _SHAPES if pattern.fullmatch(digits)), Digits.NONE)


def decimal_mark(
    cells: Iterable[tuple[int, str, str]], source: str, *, points_are_decimal: bool
) -> tuple[Mark, list[Problem]]:
    """Return the decimal mark of a file from its numbers, each with its row and column, and a problem per doubt.

    `points_are_decimal`: in a file that commas separate, as in a workbook, `1.000` is one.
    """
    first: dict[Digits, tuple[int, str, str]] = {}
    doubts: dict[Digits, list[tuple[int, str, str]]] = {Digits.POINT_OR_GROUP: [], Digits.COMMA_OR_GROUP: []}
    cache: dict[str, Digits] = {}
    for cell in cells:
        digits = cache.get(cell[2])
        if digits is None:
            digits = cache[cell[2]] = digits_of(cell[2])
        first.setdefault(digits, cell)
        if digits in doubts:
            doubts[digits].append(cell)
    point = first.get(Digits.POINT) or first.get(Digits.GROUPS_AND_POINT)
    comma = first.get(Digits.COMMA) or first.get(Digits.GROUPS_AND_COMMA)
    if point and comma:
        detail = (
            f"'{comma[2]}' has a decimal comma, but '{point[2]}' in row {point[0]} has a decimal point; use one of them"
        )
        return Mark.POINT, [Problem(detail, file=source, row=comma[0], field=comma[1])]
    mark, unclear = Mark.COMMA if comma else Mark.POINT, []
    if comma and Digits.GROUPS_AND_COMMA not in first:
        unclear = doubts[Digits.POINT_OR_GROUP]
    elif not comma and Digits.GROUPS_AND_POINT not in first:
        unclear = doubts[Digits.COMMA_OR_GROUP]
    # A file with semicolons and a number such as 1.000, but no other mark, may write thousands like this.
    if not comma and not point and not points_are_decimal:
        unclear = [*unclear, *doubts[Digits.POINT_OR_GROUP]]
    return mark, [Problem(_doubt(text), file=source, row=row, field=column) for row, column, text in unclear]


def plain_number(text: str, mark: Mark) -> float | None:
    """Return the number of a cell that has a decimal point and nothing else beside its digits; None for any other."""
    # Nearly all numbers of a large table are such, and the whole pattern is slow.
    return float(text) if mark is Mark.POINT and _PLAIN_POINT.fullmatch(text) else None


@lru_cache(_MEMORY)
def parse_quantity(text: str, mark: Mark) -> Quantity | None:
    """Return the number and the unit of a cell, or None for what is not a number of that decimal mark."""
    match = _NUMBER.fullmatch(_plain(text))
    if match is None:
        return None
    sign, digits, exponent, unit = match.groups()
    if mark is Mark.COMMA:
        digits = digits.translate(_SWAP)
    whole, _, rest = digits.partition(".")
    if ("," in whole and not re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", whole)) or not set(rest) <= set("0123456789"):
        return None
    return Quantity(Decimal(f"{sign}{whole.replace(',', '') or '0'}.{rest or '0'}E{exponent or 0}"), unit or "")


def _plain(text: str) -> str:
    """Return a number with an ASCII minus sign and without blanks or apostrophes between thousands."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u2212", "-")
    text = text.strip()
    # The pattern is slow, and most numbers hold neither blanks nor apostrophes.
    if not any(mark in text for mark in _GROUP_MARKS):
        return text
    return _BLANK_GROUPS.sub(lambda m: m[1] + re.sub(r"[^0-9]", "", m[2]), text)


def _doubt(text: str) -> str:
    plain = re.sub(r"[.,]", "", text)
    point = text.replace(",", ".")
    return f"'{text}' may be {plain} or {point}; write it without a separator of thousands"
