"""The layout of a folder is the first that recognises it; other files are counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import BadInput
from gandl_shared.plates.layouts.detect import read_inventory
from gandl_shared.plates.layouts.listing import list_folder

from tests.shared.plates.layouts.folders import harmony_image, harmony_index, touch

PHENIX = "Images/r01c01f01p01-ch1sk1fk1fl1.tiff"


def test_an_index_comes_before_names(tmp_path: Path) -> None:
    touch(tmp_path, PHENIX)
    (tmp_path / "Images" / "Index.idx.xml").write_text(harmony_index(harmony_image(PHENIX.removeprefix("Images/"))))
    assert "Index.xml" in read_inventory(list_folder(tmp_path)).layout


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        (PHENIX, "Harmony"),
        ("P/S_A01_T0001F001L01A01Z01C01.tif", "CellVoyager"),
        ("P1/TimePoint_1/P1_A01_s1_w1.TIF", "ImageXpress"),
        ("P1/A01_s1_w1.tif", "gandl"),
        ("P1/A01_s1_w1.png", "rxrx"),
    ],
)
def test_the_layout_of_names(tmp_path: Path, name: str, layout: str) -> None:
    assert layout in read_inventory(list_folder(touch(tmp_path, name))).layout


def test_a_stray_image_is_counted_and_not_fatal(tmp_path: Path) -> None:
    inventory = read_inventory(list_folder(touch(tmp_path, "P1/A01_s1_w1.tif", "ch0.tif")))
    assert len(inventory.files) == 1
    assert inventory.skipped == {"images of another name": 1}


def test_the_preset_that_finds_most_wells_of_the_map_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, "P1/A01_s1_w1.tif", "P1/A02_s1_w1.tif", "P1/B01.tif")
    assert "gandl" in read_inventory(list_folder(tmp_path), wells={"A01", "A02"}).layout
    assert "one-file" in read_inventory(list_folder(tmp_path), wells={"B01"}).layout


def test_nothing_fits(tmp_path: Path) -> None:
    listing = list_folder(touch(tmp_path, "picture.tif"))
    with pytest.raises(BadInput, match="no layout fits the 1 images in .*such as picture.tif; give --pattern"):
        read_inventory(listing)
    with pytest.raises(BadInput, match="no image in .* fits pattern"):
        read_inventory(listing, pattern="{well}_s{site}.tif")
