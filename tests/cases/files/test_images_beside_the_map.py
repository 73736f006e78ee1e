"""Images that the plate map does not have: left out, and said."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates import read_plate_map, survey_images
from gandl_shared.plates.sites import UNMAPPED

from tests.cases.plates import fields, write_images, write_plate_map, write_tiff
from tests.cases.surveys import MODEL

PLANE = next(iter(fields().values()))[0]


@pytest.mark.parametrize("name", ["P2/A01", "P1/H12", "P1 - Copy/A01", "P1/processed/A01"])
def test_images_of_no_well_of_the_map_are_counted(tmp_path: Path, name: str) -> None:
    images = write_images(tmp_path / "images")
    for channel in (1, 2):
        write_tiff(images / f"{name}_s1_w{channel}.tif", PLANE)
    survey = survey_images(images, read_plate_map(write_plate_map(tmp_path / "map.csv")), inputs=MODEL)
    assert survey.skipped == {UNMAPPED: 2}


def test_wavelengths_are_no_order_of_channels(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"P1/{well}_s1_w{(488, 405)[c]}.tif")
    with pytest.raises(Invalid, match=r"the channels 405, 488, and the model takes GFP, DNA; give --channels"):
        survey_images(images, read_plate_map(write_plate_map(tmp_path / "map.csv")), inputs=MODEL)
