"""Plates for OME-Zarr: what is written about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gandl.screening.plate_export import PlateExport, plan_export, write_plates
from gandl_shared.files.keys import open_keys
from gandl_shared.imaging import read_site
from gandl_shared.plates import find_sites
from gandl_shared.plates.ome_zarr import read_multiscale
from gandl_shared.schemas.choice import ImageChoice

from tests.shared.ome_zarr_plates import CHANNELS, FIELDS, plate_map, write_plate


def test_a_plate_in_ome_zarr_keeps_its_names_and_its_pixel_size(tmp_path: Path) -> None:
    """Version 0.4 becomes 0.5 with the same pixels, so an export converts plates too."""
    write_plate(tmp_path / "old" / "P1.zarr", 2)
    wells = plate_map(tmp_path)
    export = PlateExport(
        images=tmp_path / "old",
        plate_map=tmp_path / "platemap.csv",
        out=tmp_path / "P1.zarr",
        scores=None,
        version="0.5",
        pattern=None,
        channels=None,
        choice=ImageChoice(),
        names=None,
        pixel_size_um=None,
    )
    (plate,) = plan_export(export)
    assert (plate.description.channels, plate.description.pixel_size_um) == (CHANNELS, 0.5)
    assert plate.description.notes["A01"]["role"] == "positive_control"
    assert len(list(write_plates(export, [plate]))) == 6
    image = read_multiscale(open_keys(export.out), "A/1/1")
    assert (image.zarr_format, image.channels, image.levels[0].pixel_size_um) == (3, CHANNELS, 0.5)
    pixels = np.stack([read_site(site.files) for site in find_sites(export.out, wells)])
    np.testing.assert_array_equal(pixels, FIELDS.reshape(-1, *FIELDS.shape[2:]))
