"""Rows of a plate map: a well with something in it is never dropped, and names are one spelling."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates import PlateMap, Role, parse_plate_map
from gandl_shared.plates.map_table.rows import well_of

HEADER = "plate,well,role,compound,concentration_um,cell_line"
CONTROLS = ("P,A01,poscon,,,U", "P,A02,negcon,,,U")


def read(*lines: str, header: str = HEADER) -> PlateMap:
    return parse_plate_map("\n".join([header, *CONTROLS, *lines]), source="m.csv")


def refusal(*lines: str, header: str = HEADER) -> list[str]:
    with pytest.raises(InvalidPlateMap) as error:
        read(*lines, header=header)
    return [str(problem) for problem in error.value.problems]


def test_a_well_with_compound_and_dose_is_a_treatment() -> None:
    plate_map = read("P,B01,,X,3,U", "P,B02,NA,X,3,U", "P,B03,,,,")
    assert [well.role for well in plate_map.wells[2:]] == [Role.TREATMENT, Role.TREATMENT, Role.EMPTY]
    assert "2 wells with a compound and a dose, but without a role, were read as treatments" in plate_map.notes


@pytest.mark.parametrize("texts", [("Z99",), ("33", "1"), ("1", "49")])
def test_a_well_that_no_plate_has_is_a_problem(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no plate has a well"):
        well_of(texts)


def test_a_well_with_half_of_it_is_a_problem() -> None:
    without_dose, without_compound = refusal("P,B01,,X,,U", "P,B02,,,3,U")
    assert "row 4, role: the well has compound 'X' but no dose, and no role; write treatment" in without_dose
    assert "row 5, role: the well has the dose '3' but no compound, and no role" in without_compound


def test_spellings_of_a_compound_are_one_and_it_is_said() -> None:
    plate_map = read("P,B01,trt,Cmp A,3,U", "P,B02,trt,Cmp  A,3,U", "P,B03,trt,Cmp\u00a0A,3,U")
    assert {well.compound for well in plate_map.wells[2:]} == {"Cmp A"}
    assert "compound 'Cmp A' is written in 3 ways" in plate_map.notes[0]


@pytest.mark.parametrize("column", ["compound", "cell_line", "plate"])
def test_names_that_differ_by_case_are_a_problem(column: str) -> None:
    other = {"compound": "P,B02,trt,x,3,U", "cell_line": "P,B02,trt,X,3,u", "plate": "p,B02,trt,X,3,U"}[column]
    (problem,) = refusal("P,B01,trt,X,3,U", other)
    assert f"row 5, {column}: " in problem
    assert "differ only by upper and lower case" in problem


def test_a_cell_line_that_is_empty_in_some_rows_is_a_problem() -> None:
    assert refusal("P,B01,trt,X,3") == [
        "m.csv, row 4, cell_line: the cell line is empty, but other rows name one; name it in every row (this row ends "
        "after 5 cells)"
    ]


@pytest.mark.parametrize("name", ["1-Mar", "2.31E+19", "#NAME?"])
def test_a_compound_or_plate_that_a_spreadsheet_damaged_is_a_problem(name: str) -> None:
    assert f"row 4, compound: '{name}' is " in refusal(f"P,B01,trt,{name},3,U")[0]
    assert any(f"row 4, plate: '{name}' is " in problem for problem in refusal(f"{name},B01,trt,X,3,U"))


def test_missing_compounds_are_reported_once() -> None:
    problems = refusal("P,B01,trt,3", "P,B02,trt,3", header="plate,well,role,concentration_um")
    assert any("no column names the compound" in problem for problem in problems)


def test_wells_from_rows_and_columns() -> None:
    assert [well_of(texts) for texts in (("A", "1"), ("2", "12"), ("b3",), ("AF", "48"))] == [
        "A01",
        "B12",
        "B03",
        "AF48",
    ]
    for texts, words in (
        (("0", "1"), "counted from 0"),
        (("1",), "may count by rows or by columns"),
        (("Q0",), "is no well"),
        (("1-Jan",), "is a date"),
    ):
        with pytest.raises(ValueError, match=words):
            well_of(texts)


def test_the_conditions_of_rxrx_say_how_cells_are_and_not_what_a_well_is_for() -> None:
    lines = ["plate,well,disease_condition,treatment,treatment_conc", "1,A01,Mock,,", "1,A02,Active SARS-CoV-2,,"]
    plate_map = parse_plate_map("\n".join([*lines, "1,A03,Active SARS-CoV-2,X,3"]), source="m.csv")
    assert [well.role for well in plate_map.wells] == [Role.POSITIVE, Role.NEGATIVE, Role.TREATMENT]
    assert "Wells with a compound and a dose were read as treatments (1)" in plate_map.notes[0]
