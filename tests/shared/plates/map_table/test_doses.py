"""The dose column of a plate map: units and decimal marks in, µM out, one message for the whole column."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates import PlateMap, parse_plate_map

CONTROLS = "P;A01;poscon;;{0}\nP;A02;negcon;;{0}\n"


def read(header: str, *doses: str, separator: str = ";") -> PlateMap:
    lines = [f"P;B{n:02};trt;X;{dose}" for n, dose in enumerate(doses, 1)]
    text = f"plate;well;role;compound;{header}\n" + CONTROLS.format("") + "\n".join(lines)
    return parse_plate_map(text.replace(";", separator), source="m.csv")


def doses(plate_map: PlateMap) -> list[float | None]:
    return [well.concentration_um for well in plate_map.wells[2:]]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("concentration_um", ("0.3", "1", "10")),
        ("concentration_um", ("0,3", "1", "10")),
        ("concentration_nM", ("300", "1000", "10000")),
        ("conc (mM)", ("0.0003", "0.001", "0.01")),
        ("concentration_m", ("3e-7", "1E-06", "0.00001")),
        ("concentration_um", ("300 nM", "1 µM", "0.01 mM")),
        ("dose", ("300 nM", "1 uM", "10 µM")),
        ("log10 dose (uM)", ("-0.5228787452803376", "0", "1")),
        ("log10 conc [M]", ("-6,5228787452803376", "-6", "-5")),
    ],
)
def test_the_same_doses_in_every_unit(header: str, cells: tuple[str, ...]) -> None:
    assert doses(read(header, *cells)) == pytest.approx([0.3, 1, 10], rel=1e-12)


def test_a_column_of_units_is_used() -> None:
    plate_map = read("pert_dose;pert_dose_unit", "300;nM", "1;um")
    assert doses(plate_map) == [0.3, 1]


@pytest.mark.parametrize(
    ("header", "cells", "words"),
    [
        ("note", ("1", "2"), "no column names the concentration of the treatments; name it concentration_um"),
        ("dose (mg/ml)", ("1", "2"), "'dose (mg/ml)' is in mg/ml, which is not molar"),
        ("dose", ("1", "2"), "the column names no unit"),
        ("concentration_um", ("-0.5", "-1"), "-0.5 is no concentration; 2 cells are negative. If the column holds log"),
    ],
)
def test_what_is_wrong_in_the_whole_column_is_said_once(header: str, cells: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidPlateMap) as error:
        read(header, *cells)
    (problem,) = error.value.problems
    assert words in problem.detail


def test_a_dose_that_became_a_date_is_named() -> None:
    with pytest.raises(InvalidPlateMap, match="row 4, concentration_um: '1. Mai' is a date"):
        read("concentration_um", "1. Mai")


def test_controls_may_have_no_dose_in_the_words_of_any_program() -> None:
    for word in ("NA", "NaN", "n/a", "0", "-", ""):
        text = "plate;well;role;compound;dose_um\n" + CONTROLS.format(word) + "P;B01;trt;X;1\n"
        assert parse_plate_map(text, source="m").wells[0].concentration_um in (None, 0)
