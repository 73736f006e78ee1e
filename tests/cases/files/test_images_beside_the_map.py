"""Images that the plate map does not have: left out, and said."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates import read_plate_map, survey_images
from gandl_shared.plates.sites import UNMAPPED
from gandl_shared.schemas.choice import ImageChoice

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


def test_two_acquisitions_under_one_name_are_not_one_plate(tmp_path: Path) -> None:
    images = tmp_path / "images"
    for site in (1, 2):
        write_images(images, lambda well, c, day=site: f"day{day}/P1/{well}_s{day}_w{c + 1}.tif")
    plate_map = read_plate_map(write_plate_map(tmp_path / "map.csv"))
    with pytest.raises(Invalid) as refusal:
        survey_images(images, plate_map, inputs=MODEL)
    assert "plate P1 is in the folders day1/P1, day2/P1; choose one with --subfolder" in str(refusal.value.problems[0])
    day_1 = survey_images(images, plate_map, inputs=MODEL, choice=ImageChoice(subfolder="day1"))
    both = survey_images(images, plate_map, "{plate}/{well}_s{site}_w{channel}.tif", inputs=MODEL)
    assert (len(day_1.sites), len(both.sites)) == (30, 60)


def test_wavelengths_are_no_order_of_channels(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"P1/{well}_s1_w{(488, 405)[c]}.tif")
    with pytest.raises(Invalid, match=r"the channels 405, 488, and the model takes GFP, DNA; give --channels"):
        survey_images(images, read_plate_map(write_plate_map(tmp_path / "map.csv")), inputs=MODEL)
