"""Plates that ome-zarr-py writes, with the axes and options that its users choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from gandl_shared.imaging import read_site
from gandl_shared.plates.sites import survey_images

from tests.shared.ome_zarr_plates import FIELDS, WELLS, plate_map


def write_plate(folder: Path, version: str, axes: str) -> None:
    """Write the fields of the plate by the functions of ome-zarr-py."""
    writer = pytest.importorskip("ome_zarr.writer", reason="needs ome-zarr-py")
    formats = pytest.importorskip("ome_zarr.format", reason="needs ome-zarr-py")
    form: Any = formats.FormatV04() if version == "0.4" else formats.FormatV05()
    root = zarr.open_group(folder, mode="w", zarr_format=form.zarr_format)
    paths = [f"{well[0]}/{int(well[1:])}" for well in WELLS]
    writer.write_plate_metadata(root, ["A", "B"], ["1", "2", "3"], paths, fmt=form)
    for path, fields in zip(paths, FIELDS, strict=True):
        well = root.require_group(path)
        writer.write_well_metadata(well, ["0", "1"], fmt=form)
        for number, field in enumerate(fields):
            image = well.require_group(str(number))
            shape = [field.shape["cyx".index(axis)] if axis in "cyx" else 1 for axis in axes]
            omero = {"channels": [{"label": name, "color": "00FF00"} for name in ("GFP", "DNA")]}
            pixels = np.ascontiguousarray(field.reshape(shape))
            writer.write_image(pixels, image, axes=axes, fmt=form, metadata={"omero": omero})


@pytest.mark.parametrize("axes", ["cyx", "czyx", "tczyx"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_pixels_and_wells_are_those_that_were_written(tmp_path: Path, version: str, axes: str) -> None:
    write_plate(tmp_path / "P1.zarr", version, axes)
    survey = survey_images(tmp_path / "P1.zarr", plate_map(tmp_path))
    assert [(site.well, site.site) for site in survey.sites] == [(well, number) for well in WELLS for number in "12"]
    pixels = np.stack([read_site(site.files) for site in survey.sites])
    np.testing.assert_array_equal(pixels, FIELDS.reshape(-1, *FIELDS.shape[2:]))
