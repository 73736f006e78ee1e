"""Files beside the images of a plate: hidden ones, calibration images, overviews and the output of an analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import Invalid
from gandl_shared.schemas.choice import ImageChoice

from tests.cases.plates import write_images, write_tiff
from tests.cases.surveys import assert_same_as_written, images_by_well

PLANE = np.zeros((128, 128), np.uint16)


@pytest.mark.parametrize(
    "name",
    [
        "P1/._A01_s1_w1.tif",
        "__MACOSX/P1/._A01_s1_w1.tif",
        "__MACOSX/P1/A01_s1_w1.tif",
        ".Trash/P1/A01_s1_w1.tif",
        "P1/@eaDir/P1/A01_s1_w1.tif",
        "P1/.A01_s1_w1.tif.swp",
        "P1/Thumbs.db",
        "P1/A01_s1_w1.tif.bak",
        "ch0.tif",
        "P1/flatfield_w1.tif",
        "P1/A01.tif",
        "montage.png",
    ],
)
def test_a_file_that_is_no_plate_image_is_left_out(tmp_path: Path, name: str) -> None:
    images = write_images(tmp_path / "images")
    if name.endswith(("tif", "png")):
        write_tiff(images / name, PLANE)
    else:
        (images / name).write_bytes(b"no image")
    assert_same_as_written(images_by_well(images))


@pytest.mark.parametrize("folder", ["overlay/P1", "P1/outlines"])
def test_the_output_of_an_analysis_under_the_same_names_is_refused(tmp_path: Path, folder: str) -> None:
    images = write_images(tmp_path / "images")
    write_images(
        images,
        lambda well, c: (
            f"{folder}/{well}_s1_w{c + 1}.tif" if "/" not in folder else f"{folder}/P1/{well}_s1_w{c + 1}.tif"
        ),
    )
    with pytest.raises(Invalid, match="are both site 1 of well A01 .*choose one with --subfolder FOLDER"):
        images_by_well(images)


def test_a_subfolder_decides(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", lambda well, c: f"raw/P1/{well}_s1_w{c + 1}.tif")
    write_images(images, lambda well, c: f"overlay/P1/{well}_s1_w{2 - c}.tif")
    assert_same_as_written(images_by_well(images, ImageChoice(subfolder="raw")))
    with pytest.raises(Invalid, match="no image is below the subfolder 'ray'; the images are in overlay/P1, raw/P1"):
        images_by_well(images, ImageChoice(subfolder="ray"))
