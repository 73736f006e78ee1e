"""A well name and its row and column are two forms of one thing, on plates of up to 1536 wells."""

from __future__ import annotations

import pytest
from gandl_shared.plates.well_names import (
    parse_well,
    parse_wells,
    row_letters,
    row_number,
    standard_well_name,
    well_name,
)


@pytest.mark.parametrize(
    ("name", "row", "column"),
    [("A01", 1, 1), ("B07", 2, 7), ("P24", 16, 24), ("Z09", 26, 9), ("AA01", 27, 1), ("AF48", 32, 48)],
)
def test_rows_and_columns_count_from_one(name: str, row: int, column: int) -> None:
    assert parse_well(name) == (row, column)
    assert well_name(row, column) == name


@pytest.mark.parametrize("name", ["a1", " A01 ", "A001", "A1"])
def test_other_spellings_are_the_same_well(name: str) -> None:
    assert parse_well(name) == (1, 1)
    assert standard_well_name(name) == "A01"


@pytest.mark.parametrize("name", ["", "A", "7", "A0", "A00", "1A", "ABC1", "A100", "A1b", "Ä1"])
def test_other_texts_are_refused_with_an_example(name: str) -> None:
    with pytest.raises(ValueError, match="is no well; wells look like A01"):
        parse_well(name)


@pytest.mark.parametrize("name", ["Z99", "A49", "AG01", "ZZ10"])
def test_a_well_that_no_plate_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"no plate has a well {name}; the last well of 1,536 is AF48"):
        standard_well_name(name)


def test_many_wells_become_arrays() -> None:
    rows, columns = parse_wells(["A01", "B07"])
    assert (rows.tolist(), columns.tolist()) == ([1, 2], [1, 7])
    assert [numbers.shape for numbers in parse_wells([])] == [(0,), (0,)]


def test_every_row_of_two_letters_comes_back() -> None:
    assert [row_number(row_letters(row)) for row in range(1, 703)] == list(range(1, 703))
    assert (row_letters(702), row_number("zz")) == ("ZZ", 702)
