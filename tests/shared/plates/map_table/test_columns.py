"""Which column says what: our own name wins, and two that contradict each other are a problem."""

from __future__ import annotations

from gandl_shared.plates.map_table.columns import MapColumns, choose_columns
from gandl_shared.plates.plate_map import FORM
from gandl_shared.plates.tables import table_of_text


def choose(*lines: str) -> MapColumns:
    return choose_columns(table_of_text("\n".join(lines), "m.csv", FORM))


def test_a_batch_beside_each_compound_is_a_further_column() -> None:
    columns = choose("plate,well,role,compound,pert_iname", "P,A01,trt,b1,X", "P,A02,trt,b2,Y")
    assert (columns.single["compound"], columns.further, columns.problems) == (3, ((4, "pert_iname"),), ())
    assert "'compound' and 'pert_iname' differ (row 2: 'b1' and 'X'); 'compound' was used" in columns.notes[0]


def test_one_batch_of_several_compounds_is_a_problem() -> None:
    (problem,) = choose("plate,well,role,compound,pert_iname", "P,A01,trt,b1,X", "P,A02,trt,b1,Y").problems
    assert "both name the compound, and differ: 'b1' and 'X'" in problem.detail


def test_two_names_of_the_plate_are_a_problem_without_our_own() -> None:
    (problem,) = choose("plate_id,barcode,well,role", "1,BR1,A01,trt").problems
    assert "both name the plate" in problem.detail
    assert not choose("plate,barcode,well,role", "1,BR1,A01,trt").problems
    assert not choose("plate_id,barcode,well,role", "BR1,BR1,A01,trt").notes


def test_row_and_column_name_the_well_where_nothing_else_does() -> None:
    assert choose("plate,row,column,role", "P,A,1,trt").well == (1, 2)
    assert choose("plate,row,column,role,well", "P,A,1,trt,A01").well == (4,)


def test_a_dose_in_mass_is_mentioned() -> None:
    assert "'dose (mg/ml)' is in mg/ml, which is not molar" in choose("plate,well,dose (mg/ml)", "P,A01,1").near_misses
