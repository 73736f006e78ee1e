"""Plates as grids: each value at its row and column, and unknown plates and quantities by name."""

from __future__ import annotations

import csv
import io

import pytest
from gandl_analysis.formats.exports.plate_grid import plate_grid
from gandl_analysis.formats.exports.source import ExportChoice
from gandl_shared.errors import NotFound
from gandl_shared.plates.well_names import parse_well

from tests.analysis.formats.exports.hostile import EVERYTHING, hostile_source

SOURCE = hostile_source()


def test_each_value_stands_at_its_well() -> None:
    plate = SOURCE.analysis.wells[0].plate
    rows = list(csv.reader(io.StringIO(plate_grid(SOURCE, ExportChoice(plate=plate)).decode())))
    assert rows[0] == [plate, "efficacy"]
    assert rows[1][1:4] == ["1", "2", "3"]
    for well in (well for well in SOURCE.analysis.wells if well.plate == plate):
        row, column = parse_well(well.well)
        cell = rows[1 + row][column]
        assert cell == ("" if well.efficacy is None else repr(well.efficacy))


def test_all_plates_follow_each_other() -> None:
    text = plate_grid(SOURCE, EVERYTHING).decode()
    plates = dict.fromkeys(well.plate for well in SOURCE.analysis.wells)
    assert [line.split(",")[0] for line in text.splitlines() if line.endswith(",efficacy")] == list(plates)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ExportChoice(plate="P9"), "no plate 'P9'"),
        (ExportChoice(quantity="beauty"), "no quantity 'beauty'; it has eff"),
    ],
)
def test_what_is_not_there_is_named(choice: ExportChoice, message: str) -> None:
    with pytest.raises(NotFound, match=message):
        plate_grid(SOURCE, choice)
