"""Commas, semicolons or tabs: the line `sep=` decides, else the separator with which a header can be recognised."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates.columns import standard_column
from gandl_shared.plates.plate_map import FORM
from gandl_shared.plates.tables.delimited import rows_of_text, separator_of

HEADERS = {
    "plate,well": ",",
    "plate;well": ";",
    "plate\twell": "\t",
    "plate": ",",
    "a;b;c,d": ";",
    "\n\nplate;well": ";",
}


@pytest.mark.parametrize(("text", "separator"), HEADERS.items())
def test_the_header_decides(text: str, separator: str) -> None:
    assert separator_of(text, standard_column) == separator


def test_a_title_with_commas_does_not_decide() -> None:
    assert separator_of("Screen 7, day 3, by A, B and C\nplate;well\nP;A01\n", standard_column) == ";"


@pytest.mark.parametrize(("line", "separator"), [("sep=;", ";"), ("SEP=|", "|"), ('"sep=;"', ";"), ("sep=\t", "\t")])
def test_the_line_of_excel_is_obeyed_and_counts_as_a_row(line: str, separator: str) -> None:
    text = f"{line}\r\nplate{separator}a,b\r\n1{separator}2\r\n"
    assert rows_of_text(text, "m.csv", FORM) == ([[], ["plate", "a,b"], ["1", "2"]], separator)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_counted_as_a_spreadsheet_does(end: str) -> None:
    text = end.join(["plate,well", "", '"P\n1", A01', "P2,A02"])
    assert rows_of_text(text, "m.csv", FORM)[0] == [["plate", "well"], [], ["P\n1", "A01"], ["P2", "A02"]]


@pytest.mark.parametrize("text", ['plate,well\n"P1,A01\nP1,A02\n', 'plate,well\n"P1"x,A01\n'])
def test_an_open_quote_is_refused_because_it_would_swallow_rows(text: str) -> None:
    with pytest.raises(InvalidPlateMap, match="line .; check the quotes there"):
        rows_of_text(text, "m.csv", FORM)
