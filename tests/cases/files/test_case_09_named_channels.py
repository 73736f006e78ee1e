"""Channels by name: the names of the model decide, or the user is asked; never the alphabet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from gandl_shared.errors import Invalid

from tests.cases.plates import CHANNELS, HEADER, design, write_images, write_plate_map
from tests.cases.surveys import assert_same_as_written, images_by_well

NAMES: dict[str, Callable[[str, int], str]] = {
    "numbers": lambda well, c: f"P1/{well}_s1_w{c + 1}.tif",
    "names": lambda well, c: f"P1/{well}_s1_w{CHANNELS[c]}.tif",
    "stains": lambda well, c: f"P1/{well}_s1_w{('FITC', 'Hoechst')[c]}.tif",
    "incell": lambda well, c: f"P1/{well[0]} - {well[1:]}(fld 1 wv {('Blue', 'UV')[c]} - {CHANNELS[c]}).tif",
    "incarta": lambda well, c: f"P1/{well[0]}_{well[1:]}_f1_c{2 - c}_x{('Blue', 'UV')[c]}_m{CHANNELS[c]}_z0_t0.tif",
    "cytation": lambda well, c: f"P1/{well}_02_1_{2 - c}_{CHANNELS[c]}_001.tif",
}


@pytest.mark.parametrize("style", NAMES)
def test_the_names_of_the_model_put_the_channels_in_order(tmp_path: Path, style: str) -> None:
    assert_same_as_written(images_by_well(write_images(tmp_path / "images", NAMES[style])))


def test_columns_of_the_plate_map_are_put_in_order_by_their_names(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"{well}_{'gd'[c]}.tif")
    rows = [(*well.row, f"{well.well}_d.tif", f"{well.well}_g.tif") for well in design()]
    header = (*HEADER, "FileName_OrigDNA", "FileName_OrigGFP")
    plate_map = write_plate_map(tmp_path / "platemap.csv", rows, header)
    assert_same_as_written(images_by_well(images, plate_map=plate_map))


def test_names_that_the_model_does_not_know_are_asked_about(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"P1/{well}_s1_w{('Green', 'Blue')[c]}.tif")
    with pytest.raises(Invalid, match="have the channels Blue, Green, and the model takes GFP, DNA; give --channels"):
        images_by_well(images)
    assert_same_as_written(images_by_well(images, channels=("Green", "Blue")))
