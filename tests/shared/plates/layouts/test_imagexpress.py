"""Plates of ImageXpress: names of the database with GUIDs, and exports with .HTD files."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.plates.layouts.images import PROJECTION, ChannelName, Inventory
from gandl_shared.plates.layouts.imagexpress import read_imagexpress
from gandl_shared.plates.layouts.listing import list_folder

from tests.shared.plates.layouts.folders import touch

GUID = "1E94C24B-45E4-450A-9919-257C714278F7"


def read(folder: Path) -> Inventory:
    inventory = read_imagexpress(list_folder(folder))
    assert inventory is not None
    return inventory


def test_a_guid_is_no_part_of_the_channel(tmp_path: Path) -> None:
    (file,) = read(touch(tmp_path, f"P1_A01_s12_w2{GUID}.tif")).files
    assert (file.plates, file.well, file.site, file.channel) == (("P1",), "A01", "12", "2")


def test_steps_are_folders_and_a_file_beside_them_is_the_projection(tmp_path: Path) -> None:
    touch(tmp_path, "P1/TimePoint_3/ZStep_2/9_B02_s1_w1.TIF", "P1/TimePoint_3/9_B02_s1_w1.TIF")
    files = {file.plane: file for file in read(tmp_path).files}
    assert set(files) == {"2", PROJECTION}
    assert (files["2"].time, files["2"].plates) == ("3", ("P1", "9"))


def test_a_file_without_site_and_channel_has_one_of_each(tmp_path: Path) -> None:
    (file,) = read(touch(tmp_path, "P1/TimePoint_1/9_B02.TIF")).files
    assert (file.site, file.channel) == ("1", "")


def test_names_without_any_sign_of_the_instrument_are_left_to_the_patterns(tmp_path: Path) -> None:
    assert read_imagexpress(list_folder(touch(tmp_path, "P1_A01_s1_w1.tif"))) is None


def test_the_export_names_its_channels(vendor_layouts: Path) -> None:
    folder = vendor_layouts / "ImageXpress_exported" / "9987_Plate_3434"
    inventory = read(folder)
    assert {file.plane for file in inventory.files} == {PROJECTION, "1", "2"}
    names = {channel.token: channel.name for channel in inventory.channels}
    assert names == {"1": "DAPI", "2": "FITC", "3": "Texas Red"}
    assert ChannelName(token="2", name="FITC") in inventory.channels


def test_the_database_layout_is_read(vendor_layouts: Path) -> None:
    folder = vendor_layouts / "ImageXpress"
    inventory = read(folder)
    assert {file.well for file in inventory.files} == {"E07", "E08"}
    assert {file.plane for file in inventory.files} == {PROJECTION, "1", "2"}
    assert {file.plates for file in inventory.files} == {("SingleChannel", "Projection-Mix")}
