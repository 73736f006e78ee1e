"""Plates of an OME-Zarr: wells and fields."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gandl_shared.errors import InvalidImage
from gandl_shared.files.keys import open_keys
from gandl_shared.plates.ome_zarr import PlateField, read_plate

from tests.shared.ome_zarr_plates import change, write_plate


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_wells_and_fields(tmp_path: Path, zarr_format: int) -> None:
    plate = read_plate(open_keys(write_plate(tmp_path / "P1.zarr", zarr_format)))
    assert plate is not None
    assert plate.name == "P1"
    assert plate.fields[-1] == PlateField(well="B03", site="2", acquisition="", path="B/3/1")
    assert [field.well for field in plate.fields] == ["A01", "A01", "A02", "A02", "B03", "B03"]


def test_rows_may_be_numbers(tmp_path: Path) -> None:
    folder = write_plate(tmp_path / "P1.zarr", 3)
    shutil.move(folder / "B", folder / "2")

    def edit(document: Any) -> None:
        plate = document["attributes"]["ome"]["plate"]
        plate["rows"][1]["name"] = "2"
        plate["wells"][2]["path"] = "2/3"

    change(folder / "zarr.json", edit)
    plate = read_plate(open_keys(folder))
    assert plate is not None
    assert plate.fields[-1] == PlateField(well="B03", site="2", acquisition="", path="2/3/1")


def other_row(plate: Any) -> None:
    plate["wells"][0]["rowIndex"] = 1


def no_well(plate: Any) -> None:
    plate["wells"].append({"path": "B/2", "rowIndex": 1, "columnIndex": 1})


def twice(plate: Any) -> None:
    plate["wells"].append(plate["wells"][0])


def odd_name(plate: Any) -> None:
    plate["columns"][0]["name"] = "left"
    plate["wells"][0]["path"] = "A/left"


def no_wells(plate: Any) -> None:
    plate["wells"] = "all"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (other_row, "well 'A/1' of P1.zarr has rowIndex 1, which is another row"),
        (no_well, "B/2 of P1.zarr is in the plate's list of wells, but there is no well"),
        (twice, "P1.zarr has well A01 twice"),
        (odd_name, "row 'A', column 'left' of P1.zarr is no well"),
        (no_wells, "has no wells of type list"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, edit: Callable[[Any], None], words: str) -> None:
    plate = write_plate(tmp_path / "P1.zarr", 3)
    change(plate / "zarr.json", lambda document: edit(document["attributes"]["ome"]["plate"]))
    with pytest.raises(InvalidImage, match=words):
        read_plate(open_keys(plate))


def test_another_version_is_refused_and_what_is_no_plate_is_none(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "P1.zarr", 3)
    assert read_plate(open_keys(plate / "A")) is None
    change(plate / "zarr.json", lambda document: document["attributes"]["ome"].update(version="0.6"))
    with pytest.raises(InvalidImage, match="the root of P1.zarr is OME-Zarr 0.6 in Zarr 3; gandl reads 0.4"):
        read_plate(open_keys(plate))
