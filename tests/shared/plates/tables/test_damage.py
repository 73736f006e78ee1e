"""What spreadsheets do to names is recognised, in English and in German."""

from __future__ import annotations

import pytest
from gandl_shared.plates.tables.damage import damage

DATES = [
    "1-Mar",
    "Mar-01",
    "01-Sep-26",
    "2026-03-01",
    "2026-03-01 00:00:00",
    "03/01/2026",
    "01.03.2026",
    "1. Mrz",
    "2-Okt",
]
NAMES = [
    "CmpA",
    "MARCH1",
    "1,10-phenanthroline",
    "1-Marimastat",
    "BRD-K1234",
    "50-00-0",
    "A01",
    "2E5",
    "#12",
    "May",
    "3.5",
]


@pytest.mark.parametrize("text", DATES)
def test_a_date_is_named(text: str) -> None:
    assert f"'{text}' is a date: the spreadsheet changed a name; format the column as text" in str(damage(text))


@pytest.mark.parametrize("text", ["1.23E+11", "2E+15", "1,23e+11"])
def test_a_number_that_lost_its_digits_is_named(text: str) -> None:
    assert "its last digits are lost" in str(damage(text))


@pytest.mark.parametrize("text", ["#NAME?", "#REF!", "#n/a"])
def test_an_error_value_is_named(text: str) -> None:
    assert "error value" in str(damage(text))


@pytest.mark.parametrize("text", NAMES)
def test_names_are_left_alone(text: str) -> None:
    assert damage(text) is None
