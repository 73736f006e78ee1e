"""Images of an OME-Zarr: axes, levels and channels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gandl_shared.errors import InvalidImage
from gandl_shared.files.keys import open_keys
from gandl_shared.plates.ome_zarr import Level, read_multiscale

from tests.shared.ome_zarr_plates import CHANNELS, change, write_plate


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_axes_levels_and_names(tmp_path: Path, zarr_format: int) -> None:
    plate = write_plate(tmp_path / "P1.zarr", zarr_format)
    image = read_multiscale(open_keys(plate), "A/1/0")
    assert (image.axes, image.channels, image.zarr_format) == ("tczyx", CHANNELS, zarr_format)
    assert image.levels == (Level(path="A/1/0/0", pixel_size_um=0.5), Level(path="A/1/0/1", pixel_size_um=1.0))


def test_scales_of_the_whole_image_multiply_those_of_its_levels(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "P1.zarr", 2)

    def edit(document: Any) -> None:
        multiscale = document["multiscales"][0]
        multiscale["coordinateTransformations"] = [{"type": "scale", "scale": [1, 1, 1, 3, 3]}]
        multiscale["axes"][-1]["unit"] = "nanometer"

    change(plate / "A/1/0/.zattrs", edit)
    levels = read_multiscale(open_keys(plate), "A/1/0").levels
    assert [level.pixel_size_um for level in levels] == pytest.approx([0.0015, 0.003])


def set_version(document: Any) -> None:
    document["multiscales"][0]["version"] = "0.3"


def set_two(document: Any) -> None:
    document["multiscales"] *= 2


def set_axes(document: Any) -> None:
    document["multiscales"][0]["axes"] = [{"name": axis} for axis in "xyzct"]


def set_names(document: Any) -> None:
    document["multiscales"][0]["axes"] = list("tczyx")


def set_scale(document: Any) -> None:
    document["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] = [1, 1, 0]


def set_no_level(document: Any) -> None:
    document["multiscales"][0]["datasets"] = []


def set_channels(document: Any) -> None:
    document["omero"] = {"channels": "GFP"}


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (set_version, "is OME-Zarr 0.3 in Zarr 2; gandl reads 0.4 in Zarr 2 and 0.5 in Zarr 3"),
        (set_two, "has 2 multiscale images"),
        (set_axes, "has the axes 'xyzct'"),
        (set_names, "has no list of objects under axes"),
        (set_scale, "has the scale"),
        (set_no_level, "has no level"),
        (set_channels, "has no channels of type list"),
    ],
)
def test_metadata_that_gandl_does_not_read_are_refused(tmp_path: Path, edit: Callable[[Any], None], words: str) -> None:
    plate = write_plate(tmp_path / "P1.zarr", 2)
    change(plate / "A/1/0/.zattrs", edit)
    with pytest.raises(InvalidImage, match=words):
        read_multiscale(open_keys(plate), "A/1/0")


def test_a_place_without_an_image_is_refused(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "P1.zarr", 2)
    with pytest.raises(InvalidImage, match="A/1 of P1.zarr is no image"):
        read_multiscale(open_keys(plate), "A/1")
