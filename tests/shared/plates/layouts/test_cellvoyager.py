"""Measurements of CellVoyager, by MeasurementData.mlf and by the names of their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates.layouts.cellvoyager import read_cellvoyager
from gandl_shared.plates.layouts.images import Inventory
from gandl_shared.plates.layouts.listing import list_folder

from tests.shared.plates.layouts.folders import touch

SPACE = "http://www.yokogawa.co.jp/BTS/BTSSchema/1.0"
FILE = "S1_B07_T0001F002L01A01Z03C02.tif"


def record(name: str, kind: str = "IMG") -> str:
    position = 'bts:Row="2" bts:Column="7" bts:FieldIndex="2" bts:ZIndex="3" bts:TimePoint="1" bts:Ch="2"'
    return f'<bts:MeasurementRecord bts:Type="{kind}" {position}>{name}</bts:MeasurementRecord>'


def read(folder: Path, *records: str) -> Inventory:
    touch(folder, f"plate 7/{FILE}")
    data = f'<bts:MeasurementData xmlns:bts="{SPACE}">{"".join(records)}</bts:MeasurementData>'
    (folder / "plate 7" / "MeasurementData.mlf").write_text(data)
    (folder / "plate 7" / "S1.wpi").write_text(f'<bts:WellPlate xmlns:bts="{SPACE}" bts:Name="S1"/>')
    channel = '<bts:MeasurementChannel bts:Ch="2" bts:HorizontalPixelDimension="0.325"/>'
    detail = f'<bts:MeasurementDetail xmlns:bts="{SPACE}">{channel}</bts:MeasurementDetail>'
    (folder / "plate 7" / "MeasurementDetail.mrf").write_text(detail)
    inventory = read_cellvoyager(list_folder(folder))
    assert inventory is not None
    return inventory


def test_the_index_names_well_field_plane_channel_plate_and_pixel_size(tmp_path: Path) -> None:
    inventory = read(tmp_path, record(FILE), record("error 12", kind="ERR"))
    (file,) = inventory.files
    assert (file.well, file.site, file.plane, file.time, file.channel) == ("B07", "2", "3", "1", "2")
    assert file.plates == ("plate 7", "S1")
    assert inventory.files[0].pixel_size_um == 0.325


def test_a_file_that_the_index_names_and_that_is_not_there_is_listed(tmp_path: Path) -> None:
    assert read(tmp_path, record("gone.tif")).missing == ("plate 7/gone.tif",)


def test_an_index_names_nothing_outside_its_folder(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="outside its folder"):
        read(tmp_path, record("../../out.tif"))


def test_without_an_index_the_names_of_the_files_are_read(tmp_path: Path) -> None:
    inventory = read_cellvoyager(list_folder(touch(tmp_path, f"P1/{FILE}")))
    assert inventory is not None
    (file,) = inventory.files
    assert (file.plates, file.well, file.site) == (("P1", "S1"), "B07", "2")
    assert (file.plane, file.time, file.channel) == ("3", "1", "2")


def test_the_cv8000_measurement_is_read(vendor_layouts: Path) -> None:
    folder = vendor_layouts / "CV8000"
    listing = list_folder(folder)
    inventory = read_cellvoyager(listing)
    assert inventory is not None
    assert {file.well for file in inventory.files} == {"D08", "E03", "F08"}
    assert {file.site for file in inventory.files} == {"1", "2", "3", "4"}
    assert {file.plane for file in inventory.files} == {"1", "2", "3", "4"}
    assert [channel.token for channel in inventory.channels] == ["1", "2"]
    assert inventory.files[0].pixel_size_um == 0.325
    assert inventory.missing == ()
    assert listing.skipped == {"calibration images": 6}
