"""A plate that the map and the images spell differently: both spellings are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import Invalid

from tests.cases.plates import HEADER, design, write_images, write_plate_map
from tests.cases.surveys import images_by_well


@pytest.mark.parametrize(
    ("in_map", "in_images", "message"),
    [
        ("p1", "P1", "the plate map says 'p1', the images say 'P1'"),
        ("1.0", "1", "the plate map says '1.0', the images say '1'"),
        ("Plate 1", "plate_1", "the plate map says 'Plate 1', the images say 'plate_1'"),
        ("42", "0042", "the plate map says '42', the images say '0042'"),
        ("S2", "P1", "the plate map has plate 'S2', the images are of 'P1'"),
    ],
)
def test_both_spellings_are_told(tmp_path: Path, in_map: str, in_images: str, message: str) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"{in_images}/{well}_s1_w{c + 1}.tif")
    rows = [(in_map, *well.row[1:]) for well in design()]
    plate_map = write_plate_map(tmp_path / "platemap.csv", rows, HEADER)
    with pytest.raises(Invalid, match=f"{message}; give the plate the same name in both"):
        images_by_well(images, plate_map=plate_map)
