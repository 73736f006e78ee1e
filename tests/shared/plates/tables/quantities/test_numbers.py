"""Decimal marks are decided for the whole file; a number that can be read in two ways is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from gandl_shared.plates.tables.quantities.numbers import Digits, Mark, decimal_mark, digits_of, parse_quantity

SHAPES = {
    "10": Digits.PLAIN,
    "1e-3": Digits.PLAIN,
    "0.3": Digits.POINT,
    "12.34": Digits.POINT,
    "0.333": Digits.POINT,
    ".5": Digits.POINT,
    "0,3": Digits.COMMA,
    "0,333": Digits.COMMA,
    "1,5E-3": Digits.COMMA,
    "1.000": Digits.POINT_OR_GROUP,
    "1,000": Digits.COMMA_OR_GROUP,
    "1,000.5": Digits.GROUPS_AND_POINT,
    "1,000,000": Digits.GROUPS_AND_POINT,
    "1.000,5": Digits.GROUPS_AND_COMMA,
    "1,00,0": Digits.NONE,
    "text": Digits.NONE,
}


@pytest.mark.parametrize(("text", "digits"), SHAPES.items())
def test_what_digits_say(text: str, digits: Digits) -> None:
    assert digits_of(text) is digits


def mark(*texts: str, points: bool = True) -> tuple[Mark, list[str]]:
    decided, problems = decimal_mark([(n, "dose", t) for n, t in enumerate(texts, 2)], "m", points_are_decimal=points)
    return decided, [problem.detail for problem in problems]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("10", "0.3", "1.000"), Mark.POINT),
        (("1.000",), Mark.POINT),
        (("1,000.0", "1,000"), Mark.POINT),
        (("10", "0,3", "1,000"), Mark.COMMA),
        (("1.000,5", "1.000"), Mark.COMMA),
    ],
)
def test_the_file_decides(texts: tuple[str, ...], expected: Mark) -> None:
    assert mark(*texts) == (expected, [])


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("0.3", "0,3"), "'0,3' has a decimal comma, but '0.3' in row 2 has a decimal point"),
        (("10", "1,000"), "'1,000' may be 1000 or 1.000"),
        (("0.3", "1,000"), "'1,000' may be 1000 or 1.000"),
        (("0,3", "1.000"), "'1.000' may be 1000 or 1.000"),
    ],
)
def test_a_doubt_is_a_problem(texts: tuple[str, ...], words: str) -> None:
    assert words in mark(*texts)[1][0]


def test_a_file_of_semicolons_may_write_thousands_with_points() -> None:
    assert mark("10", "1.000", points=False)[1]
    assert not mark("0.3", "1.000", points=False)[1]


QUANTITIES = {
    "10": ("10", ""),
    "0.3 µM": ("0.3", "μM"),
    "300nM": ("300", "nM"),
    "-1e-7": ("-1E-7", ""),
    "−2.5": ("-2.5", ""),
    "1,234.5": ("1234.5", ""),
    "1 000": ("1000", ""),
    "10 000 nM": ("10000", "nM"),
    "1'000.5": ("1000.5", ""),
    "1\u00a0000": ("1000", ""),
}


@pytest.mark.parametrize(("text", "expected"), QUANTITIES.items())
def test_numbers_with_units(text: str, expected: tuple[str, str]) -> None:
    quantity = parse_quantity(text, Mark.POINT)
    assert quantity is not None
    assert (quantity.value, quantity.unit) == (Decimal(expected[0]), expected[1])


def test_decimal_commas() -> None:
    values = [parse_quantity(text, Mark.COMMA) for text in ("0,3", "1.234,5", "1,5E-3", "10")]
    assert [float(q.value) for q in values if q] == [0.3, 1234.5, 0.0015, 10.0]


@pytest.mark.parametrize("text", ["", "nan", "inf", "1_000", "ten", "<0.1", "1..2", "1,2,3", "0x10", "--1"])
def test_what_is_no_number(text: str) -> None:
    assert parse_quantity(text, Mark.POINT) is None
