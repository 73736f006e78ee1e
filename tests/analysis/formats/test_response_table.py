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
    return list(read_responses(path).wells)


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
        metadata={"operator": "me"},
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
    "a\n1\n": "row 1, compound: column is missing",
    HEADER: "has no rows",
    "": "has no rows",
    HEADER + "a,U,ten,1\n": "row 2, concentration_um: 'ten' is not a number",
    HEADER + "a,U,1,1\na,U,-3,1\n": "row 3, concentration_um: -3 is negative",
    HEADER + "a,U,1,inf\n": "row 2, response: 'inf' is not finite",
    HEADER + "a,U,,1\n": "row 2, concentration_um: is empty",
    HEADER + ",U,1,1\n": "row 2, compound: is empty",
    HEADER + "a,U,1\n": "row 2: row 2 has 3 cells, the header 4",
    HEADER.replace("\n", ",response\n") + "a,U,1,1,1\n": "row 1, response: column occurs twice",
    HEADER + "a,U,1,1e160\n": "row 2, response: '1e160' is beyond 1e-100 to 1e+100; give it in another unit",
    HEADER + "a,U,1e-170,1\n": "row 2, concentration_um: '1e-170' is beyond",
    HEADER + "a,U,1,1,5\n": "row 2: row 2 has 5 cells, the header 4; put quotes around",
    HEADER + "a,U,1,1\nA,U,1,1\n": "row 3, compound: 'A' and 'a' in row 2 differ only by",
    HEADER + "1-Mar,U,1,1\n": "row 2, compound: '1-Mar' is a date",
    HEADER + 'a,U,1,"1,000"\n': "row 2, response: '1,000' may be 1000 or 1.000",
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


@pytest.mark.parametrize(
    "lines", [["1,0.5", "1,0.5", "3,0.7", "3,0.7"], ["1,0", "1,0.1", "1,0", "1,0.1", "3,0.7", "3,0.7"]]
)
def test_rows_that_may_be_copies_are_noted(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "".join(f"a,U,{line}\n" for line in lines), encoding="utf-8")
    (note,) = read_responses(path).notes
    assert "repeats row 2, and so do all rows at every dose of a in U. If rows were copied" in note


def test_equal_replicates_of_single_doses_are_not_noted(tmp_path: Path) -> None:
    rows = ["a,U,1,0", "a,U,1,0", "a,U,3,50", "a,U,3,52", "b,U,1,0", "b,U,1,0", "b,U,3,0", "b,U,3,0"]
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    assert read_responses(path).notes == ()


@pytest.mark.parametrize(
    ("header", "dose", "unit", "value"),
    [
        ("concentration", "3", "ng/mL", 3.0),
        ("dose", "300", "nM", 300.0),
        ("treatment_conc", "3", None, 3.0),
        ("concentration_um", "3", "µM", 3.0),
        ("concentration_um", "300 nM", "uM", 0.3),
        ("dose (nM)", "300", "uM", 0.3),
        ("dose (nM)", "300", "nM", 300.0),
        ("log10 conc (M)", "-6", "nM", 1000.0),
    ],
)
def test_concentrations_come_in_the_unit_of_the_results(
    tmp_path: Path, header: str, dose: str, unit: str | None, value: float
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER.replace("concentration_um", header) + f"a,U,{dose},1\n", encoding="utf-8")
    assert read_responses(path, unit=unit).wells[0].concentration == pytest.approx(value)


@pytest.mark.parametrize("unit", ["nM", "ug/mL"])
def test_a_header_in_micromolar_holds_nothing_else(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "a,U,3,1\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match=f"row 1, concentration_um: the header says µM, but --unit is {unit}; name"):
        read_responses(path, unit=unit)


@pytest.mark.parametrize(
    ("dose", "unit", "message"),
    [
        ("3", None, "names no unit; write it into the header"),
        ("300 nM", "ug/mL", "'300 nM' has a unit, but the results"),
    ],
)
def test_a_concentration_whose_unit_is_unclear_is_refused(
    tmp_path: Path, dose: str, unit: str | None, message: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER.replace("concentration_um", "concentration") + f"a,U,{dose},1\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match=message):
        read_responses(path, unit=unit)


def test_weights_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER.replace("\n", ",Weight\n") + "a,U,3,1,0.5\na,U,5,1,2\n", encoding="utf-8")
    table = read_responses(path, has_weights=True)
    assert ([well.weight for well in table.wells], table.wells[0].metadata, table.notes) == ([0.5, 2.0], {}, ())
    plain = read_responses(path)
    assert plain.wells[0].weight is None and plain.wells[0].metadata == {"Weight": "0.5"}
    assert plain.notes == ("The column 'weight' was not used; --weights column weights the wells by it",)


@pytest.mark.parametrize(
    ("weight", "message"),
    [("0", "0 is not above 0"), ("-1", "-1 is not above 0"), ("", "is empty; every row"), ("much", "is not a number")],
)
def test_weights_that_are_none_are_refused_by_row(tmp_path: Path, weight: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER.replace("\n", ",weight\n") + f"a,U,3,1,{weight}\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match=f"row 2, weight: .*{message}"):
        read_responses(path, has_weights=True)


def test_asked_weights_need_their_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "a,U,3,1\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match="weight: --weights column needs one column"):
        read_responses(path, has_weights=True)


def test_a_molar_header_and_results_in_mass_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER.replace("concentration_um", "dose (nM)") + "a,U,3,1\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match="states a molar unit, but the unit of the results is ug/mL"):
        read_responses(path, unit="ug/mL")


def test_decimal_commas_of_a_german_spreadsheet(tmp_path: Path) -> None:
    (well,) = read(tmp_path, HEADER.replace(",", ";") + "a;U;0,3;-1,5\n")
    assert (well.concentration, well.response) == (0.3, -1.5)


def test_a_file_that_is_not_text_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(NotFound, match="is not there"):
        read_responses(path)
    path.write_bytes(b"\x89PNG\0\x01")
    with pytest.raises(InvalidTable, match="it is no text"):
        read_responses(path)
