"""Harmony exports of Opera Phenix and Operetta without an index: planes, time points, measurements and two plates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates import parse_well
from gandl_shared.schemas.choice import ImageChoice
from scipy.ndimage import gaussian_filter

from tests.cases.plates import HEADER, design, fields, write_images, write_plate_map, write_tiff
from tests.cases.surveys import assert_same_as_written, images_by_well


def harmony(well: str, channel: int, plane: int = 1, time: int = 1, end: str = "fl1") -> str:
    row, column = parse_well(well)
    return f"r{row:02d}c{column:02d}f01p{plane:02d}-ch{channel + 1}sk{time}fk1{end}.tiff"


@pytest.mark.parametrize("end", ["fl1", ""])
def test_names_with_and_without_flim(tmp_path: Path, end: str) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"Images/{harmony(well, c, end=end)}")
    assert_same_as_written(images_by_well(images))


def test_the_plane_in_focus_is_found(tmp_path: Path) -> None:
    images = tmp_path / "images"
    for well, field in fields().items():
        for c in range(2):
            write_tiff(images / harmony(well, c, plane=2), field[c])
            for plane, blur in ((1, 4), (3, 2)):
                write_tiff(images / harmony(well, c, plane=plane), gaussian_filter(field[c], blur))
    with pytest.raises(Invalid, match=r"several focal planes \(1, 2, 3\); choose with --z PLANE, --z max or --z focus"):
        images_by_well(images)
    assert_same_as_written(images_by_well(images, ImageChoice(z="focus")))


def test_time_points_are_refused_or_chosen(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: harmony(well, c, time=2))
    for well in fields():
        for c in range(2):
            write_tiff(images / harmony(well, c), np.zeros((128, 128), np.uint16))
    with pytest.raises(Invalid, match="choose one with --timepoint N"):
        images_by_well(images)
    assert_same_as_written(images_by_well(images, ImageChoice(timepoint="2")))


def test_the_plate_is_named_by_its_folder(tmp_path: Path) -> None:
    images = tmp_path / "images"
    for plate in ("P1", "P2"):
        folder = f"{plate}__2024-05-01T10_00_00-Measurement 1/Images"
        write_images(images, lambda well, c, folder=folder: f"{folder}/{harmony(well, c)}")  # type: ignore[misc]
    rows = [(plate, *well.row[1:]) for plate in ("P1", "P2") for well in design()]
    plate_map = write_plate_map(tmp_path / "platemap.csv", rows, HEADER)
    assert_same_as_written(images_by_well(images, plate_map=plate_map))


def test_a_second_measurement_is_refused_or_chosen(tmp_path: Path) -> None:
    images = tmp_path / "images"
    for number in (1, 2):
        folder = f"P1__2024-05-0{number}T10_00_00-Measurement {number}/Images"
        write_images(images, lambda well, c, folder=folder: f"{folder}/{harmony(well, c)}")  # type: ignore[misc]
    with pytest.raises(Invalid, match=r"measured more than once \(1, 2\); choose one with --measurement N"):
        images_by_well(images)
    assert_same_as_written(images_by_well(images, ImageChoice(measurement="2")))
