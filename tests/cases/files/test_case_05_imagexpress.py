"""ImageXpress folders: thumbnails, names with a GUID, time points and focal planes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import Invalid
from gandl_shared.schemas.choice import ImageChoice

from tests.cases.plates import fields, write_images, write_tiff
from tests.cases.surveys import assert_same_as_written, images_by_well


def guid(well: str, channel: int, kind: str = "") -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{well}{channel}{kind}")).upper()


NAMES: dict[str, Callable[[str, int], str]] = {
    "plain": lambda well, c: f"P1/TimePoint_1/P1_{well}_s1_w{c + 1}.TIF",
    "guid": lambda well, c: f"P1/TimePoint_1/P1_{well}_s1_w{c + 1}{guid(well, c)}.tif",
    "single": lambda well, c: f"P1/TimePoint_1/P1_{well}_w{c + 1}.TIF",
}


@pytest.mark.parametrize("style", NAMES)
def test_the_names_of_the_database_and_of_exports_are_read(tmp_path: Path, style: str) -> None:
    assert_same_as_written(images_by_well(write_images(tmp_path / "images", NAMES[style])))


@pytest.mark.parametrize("style", ["plain", "guid"])
def test_thumbnails_are_never_taken(tmp_path: Path, style: str) -> None:
    images = write_images(tmp_path / "images", NAMES[style])
    for well, field in fields().items():
        for c in range(2):
            end = f"{guid(well, c, 'thumb')}.tif" if style == "guid" else ".TIF"
            write_tiff(images / f"P1/TimePoint_1/P1_{well}_s1_w{c + 1}_thumb{end}", field[c][::2, ::2])
    assert_same_as_written(images_by_well(images))


def in_steps(folder: Path, step: str, numbers: range) -> Path:
    """Write the plate into several folders: the first holds the design, and the others fields turned round."""
    for well, field in fields().items():
        for number in numbers:
            for c in range(2):
                name = f"P1/{step}_{number}/P1_{well}_s1_w{c + 1}.TIF"
                write_tiff(folder / name, field[c] if number == 1 else field[c][::-1])
    return folder


def test_time_points_are_refused_or_chosen(tmp_path: Path) -> None:
    images = in_steps(tmp_path / "images", "TimePoint", range(1, 3))
    with pytest.raises(
        Invalid, match=r"TimePoint_1/P1_A01_s1_w1.TIF and P1/TimePoint_2/.* choose one with --timepoint N"
    ):
        images_by_well(images)
    assert_same_as_written(images_by_well(images, ImageChoice(timepoint="1")))
    with pytest.raises(Invalid, match="no image has time 5; there are 1, 2; give another --timepoint"):
        images_by_well(images, ImageChoice(timepoint="5"))


def test_focal_planes_are_refused_chosen_or_reduced(tmp_path: Path) -> None:
    images = in_steps(tmp_path / "images", "TimePoint_1/ZStep", range(1, 3))
    with pytest.raises(
        Invalid, match=r"ZStep_1/P1_A01_s1_w1.TIF and P1/TimePoint_1/ZStep_2/.*--z PLANE, --z max or --z focus"
    ):
        images_by_well(images)
    assert_same_as_written(images_by_well(images, ImageChoice(z="1")))
    for well, image in images_by_well(images, ImageChoice(z="max")).items():
        np.testing.assert_array_equal(image, np.maximum(fields()[well], fields()[well][:, ::-1]))


def test_the_projection_of_the_instrument_can_be_chosen(tmp_path: Path) -> None:
    images = in_steps(tmp_path / "images", "TimePoint_1/ZStep", range(2, 4))
    write_images(images, lambda well, c: f"P1/TimePoint_1/P1_{well}_s1_w{c + 1}.TIF")
    with pytest.raises(Invalid, match=r"several focal planes \(2, 3, projection\)"):
        images_by_well(images)
    assert_same_as_written(images_by_well(images, ImageChoice(z="projection")))
