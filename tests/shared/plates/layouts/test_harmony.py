"""Exports of Harmony, by their index and by the names of their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates.layouts.harmony import folder_names, read_harmony
from gandl_shared.plates.layouts.images import ChannelName, Inventory
from gandl_shared.plates.layouts.listing import list_folder

from tests.shared.plates.layouts.folders import harmony_image, harmony_index, touch

FILE = "r02c03f01p01-ch1sk1fk1fl1.tiff"


def read(folder: Path) -> Inventory:
    inventory = read_harmony(list_folder(folder))
    assert inventory is not None
    return inventory


def with_index(folder: Path, *images: str, version: int = 5) -> Path:
    touch(folder, f"Images/{FILE}")
    (folder / "Images" / "Index.idx.xml").write_text(harmony_index(*images, version=version))
    return folder


@pytest.mark.parametrize("version", [5, 6, 7])
def test_the_index_names_well_channel_plate_and_pixel_size(tmp_path: Path, version: int) -> None:
    image = harmony_image(FILE, row=2, column=3, name="HOECHST 33342")
    inventory = read(with_index(tmp_path, image, version=version))
    (file,) = inventory.files
    assert (file.name, file.well, file.site, file.channel) == (f"Images/{FILE}", "B03", "1", "1")
    assert file.plates == ("P7",)
    assert inventory.channels == (ChannelName(token="1", name="HOECHST 33342"),)
    assert inventory.files[0].pixel_size_um == pytest.approx(0.5)


def test_a_file_that_the_index_names_and_that_is_not_there_is_listed(tmp_path: Path) -> None:
    absent = "r09c09f01p01-ch1sk1fk1fl1.tiff"
    inventory = read(with_index(tmp_path, harmony_image(FILE), harmony_image(absent)))
    assert inventory.missing == (f"Images/{absent}",)
    assert [file.present for file in inventory.files] == [True, False]


@pytest.mark.parametrize(
    "name", ["/etc/hostname", "../../out.tif", "..\\out.tif", "C:\\images\\a.tif", "/proc/self/fd/0"]
)
def test_an_index_names_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid, match="outside its folder"):
        read(with_index(tmp_path, harmony_image(name)))


def test_an_index_names_no_link_out_of_the_folder(tmp_path: Path) -> None:
    folder = with_index(tmp_path / "images", harmony_image("link.tiff"))
    (tmp_path / "out.tiff").touch()
    (folder / "Images" / "link.tiff").symlink_to(tmp_path / "out.tiff")
    with pytest.raises(Invalid, match="a link out of the images folder"):
        read(folder)


def test_without_an_index_the_names_of_the_files_are_read(tmp_path: Path) -> None:
    folder = "P1__2024-05-01T10_00_00-Measurement 2"
    inventory = read(touch(tmp_path, f"{folder}/Images/r16c24f03p02-ch4sk1fk1.tiff"))
    (file,) = inventory.files
    assert (file.plates, file.measurement) == (("P1", folder), "2")
    assert (file.well, file.site, file.plane, file.channel) == ("P24", "3", "2", "4")


def test_folders_without_a_measurement_may_name_the_plate() -> None:
    assert folder_names("P1/Images/a.tiff") == (("P1",), "")
    assert folder_names("Images/a.tiff") == ((), "")


def test_another_xml_is_no_export(tmp_path: Path) -> None:
    touch(tmp_path, "P1/A01_s1_w1.tif")
    (tmp_path / "Index.xml").write_text("<OME/>")
    assert read_harmony(list_folder(tmp_path)) is None


def test_the_operetta_export_is_read(vendor_layouts: Path) -> None:
    folder = vendor_layouts / "operetta" / "operetta_plate"
    inventory = read(folder)
    assert [(file.well, file.site, file.plates) for file in inventory.files] == [
        ("C03", "1", ("Test_Sample_BALL",)),
        ("C03", "2", ("Test_Sample_BALL",)),
    ]
    assert inventory.channels == (ChannelName(token="1", name="Fluorescein (FITC)"),)
    assert inventory.files[0].pixel_size_um == pytest.approx(1.195952)
