"""The header and the rows below it: nothing is shifted, doubled or dropped in silence."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates.plate_map import FORM
from gandl_shared.plates.tables.headers import table_of_rows
from gandl_shared.plates.tables.table import Row, Table


def table(*lines: str) -> Table:
    return table_of_rows([line.split(",") if line else [] for line in lines], "m.csv", FORM, ",")


def problems(*lines: str) -> list[str]:
    return [str(problem) for problem in table(*lines).problems]


def test_titles_above_the_header_are_no_rows() -> None:
    result = table("Screen 7", "", "plate,well", "", "P,A01", ",")
    assert (result.header, result.rows) == (("plate", "well"), (Row(5, ["P", "A01"]),))
    assert result.notes == ("m.csv has text above its header, in row 1, which was read as a title",)


@pytest.mark.parametrize("line", ["P,A01,1,10-phenanthroline", "P,A01,1,"])
def test_a_row_with_more_cells_than_the_header_is_refused(line: str) -> None:
    refused_rows = problems("plate,well,compound", "P,A02,x", line)
    assert refused_rows == [
        "m.csv, row 3: row 3 has 4 cells, the header 3; put quotes around a cell that contains the separator"
    ]


def test_separators_at_the_end_of_every_line_are_no_cells() -> None:
    assert table("plate,well,", "P,A01,", "P,A02,").rows[1] == Row(3, ["P", "A02"])
    assert table("plate,well", "P,A01,", "P,A02,").problems == ()


def test_a_short_row_is_filled_and_remembered() -> None:
    result = table("plate,well,note", "P,A01")
    assert (result.rows[0].cells, result.short_rows) == (["P", "A01", ""], {2: 2})


def test_a_column_that_occurs_twice_is_refused() -> None:
    assert problems("plate,dose,well, Dose", "P,1,A01,2") == [
        "m.csv, row 1, dose: column occurs twice, in columns 2 and 4; remove or rename one"
    ]


def test_a_column_without_a_name_is_refused_unless_it_is_the_index_of_a_data_frame() -> None:
    assert table(",plate,well", "0,P,A01", "1,P,A02").rows[1].cells == ["P", "A02"]
    assert "column 2 has cells but no name" in problems("plate,,well", "P,x,A01")[0]


@pytest.mark.parametrize("lines", [(), ("",), ("plate,well",), ("plate,well", ",", "")])
def test_a_table_without_rows_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(InvalidPlateMap, match=r"plate map m\.csv has no rows"):
        table(*lines)
