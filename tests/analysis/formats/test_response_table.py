"""A table of responses: each problem is named by row and field, all at once; ordinary spreadsheets are understood."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.formats.response_table import read_responses
from gandl_analysis.pipeline.curves.wells import CurveWell
from gandl_shared.errors import InvalidTable, NotFound

HEADER = "compound,cell_line,concentration_um,response\n"


def read(folder: Path, text: str) -> list[CurveWell]:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_responses(path)


def test_a_row_is_a_well_with_everything_that_is_known_of_it(tmp_path: Path) -> None:
    header = "Compound,CELL_LINE,concentration_um,response,plate,well,off_distance,excluded,operator\n"
    (well,) = read(tmp_path, header + "aspirin,U2OS,0.5,-0.9,P1,A03,1.25,edge,me\n")
    assert well == CurveWell(
        compound="aspirin",
        cell_line="U2OS",
        concentration=0.5,
        response=-0.9,
        plate="P1",
        well="A03",
        off_distance=1.25,
        excluded="edge",
        table_row=2,
    )


@pytest.mark.parametrize("text", ["", "NA", "nan", "NULL", "None"])
def test_a_missing_response_is_a_well_without_measurement(tmp_path: Path, text: str) -> None:
    (well,) = read(tmp_path, HEADER + f"a,U,0,{text}\n")
    assert (well.concentration, well.response) == (0.0, None)


def test_empty_lines_are_passed_over_and_rows_are_counted_as_in_the_file(tmp_path: Path) -> None:
    assert [w.table_row for w in read(tmp_path, HEADER + "a,U,1,1\n\n,,,\na,U,2,1\n")] == [2, 5]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_spreadsheets_of_other_countries(tmp_path: Path, separator: str) -> None:
    text = HEADER + "a,U,1,0.5\nb,U,3,0.25\n"
    assert read(tmp_path, "\ufeff" + text.replace(",", separator)) == read(tmp_path, text)


WORDS = {"False": None, "0": None, "no": None, "": None, "True": "excluded", "1": "excluded", "edge": "edge"}


@pytest.mark.parametrize(("word", "reason"), WORDS.items())
def test_words_that_exclude_a_well(tmp_path: Path, word: str, reason: str | None) -> None:
    (well,) = read(tmp_path, HEADER.replace("\n", ",excluded\n") + f"a,U,1,0.5,{word}\n")
    assert well.excluded == reason


BAD = {
    "a\n": "row 1, compound: column is missing",
    HEADER: "no rows",
    "": "is empty",
    HEADER + "a,U,ten,1\n": "row 2, concentration_um: 'ten' is not a number",
    HEADER + "a,U,1,1\na,U,-3,1\n": "row 3, concentration_um: -3 is negative",
    HEADER + "a,U,1,inf\n": "row 2, response: 'inf' is not finite",
    HEADER + "a,U,,1\n": "row 2, concentration_um: is empty",
    HEADER + ",U,1,1\n": "row 2, compound: is empty",
    HEADER + "a,U,1\n": "row 2: 3 cells where the header has 4",
    HEADER.replace("\n", ",response\n") + "a,U,1,1,1\n": "row 1, response: column occurs twice",
    HEADER + "a,U,1,1e160\n": "row 2, response: '1e160' is beyond 1e-100 to 1e+100; give it in another unit",
    HEADER + "a,U,1e-170,1\n": "row 2, concentration_um: '1e-170' is beyond",
    HEADER + "a,U,1,0.5\na,U,1,0.5\na,U,3,0.7\na,U,3,0.7\n": "row 3, response: repeats row 2, and so do all rows",
    HEADER + "a,U,1,0\na,U,1,0.1\na,U,1,0\na,U,1,0.1\na,U,3,0.7\na,U,3,0.7\n": "row 4, response: repeats row 2,",
    HEADER.replace("\n", ",plate,well\n") + "a,U,1,1,P,A01\nb,U,1,1,P,A01\n": "row 3, well: P A01 is in row 2 already",
}


@pytest.mark.parametrize(("text", "message"), BAD.items(), ids=BAD.values())
def test_a_bad_table_is_refused_with_the_place_and_the_fix(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidTable) as error:
        read(tmp_path, text)
    assert message in error.value.detail
    assert error.value.exit_code == 2


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidTable) as error:
        read(tmp_path, HEADER + ",U,1,1\na,U,-3,inf\na,U,1\n")
    assert [(p.row, p.field) for p in error.value.problems] == [
        (2, "compound"),
        (3, "concentration_um"),
        (3, "response"),
        (4, None),
    ]


def test_equal_replicates_of_single_doses_are_not_copies(tmp_path: Path) -> None:
    rows = ["a,U,1,0", "a,U,1,0", "a,U,3,50", "a,U,3,52", "b,U,1,0", "b,U,1,0", "b,U,3,0", "b,U,3,0"]
    assert len(read(tmp_path, HEADER + "\n".join(rows) + "\n")) == 8


def test_a_file_that_is_not_text_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(NotFound, match="does not exist"):
        read_responses(path)
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InvalidTable, match="is not CSV text in UTF-8"):
        read_responses(path)
