"""The level whose pixels are nearest to those of the model."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.imaging import read_site, with_levels
from gandl_shared.imaging.ome_zarr.levels import nearest_level
from gandl_shared.plates import Site, find_sites
from gandl_shared.plates.ome_zarr import Level

from tests.shared.ome_zarr_plates import plate_map, write_plate


@pytest.mark.parametrize(
    ("sizes", "model", "level"),
    [
        ((0.5, 1.0, 2.0), 0.5, 0),
        ((0.5, 1.0, 2.0), 0.6, 0),
        ((0.5, 1.0, 2.0), 0.9, 1),
        ((0.5, 1.0, 2.0), 7.0, 2),
        ((0.5, 1.0), 2**-0.5, 0),
        ((None, None), 1.0, 0),
        ((0.5, 0.5 * 2.0000001), 0.5, 0),
    ],
)
def test_the_nearest_level_by_the_ratio_of_sizes(sizes: tuple[float | None, ...], model: float, level: int) -> None:
    levels = [Level(path=str(i), pixel_size_um=size) for i, size in enumerate(sizes)]
    assert nearest_level(levels, model) == level


def test_sites_get_the_level_of_the_model(tmp_path: Path) -> None:
    write_plate(tmp_path / "P1.zarr", 3)
    sites = find_sites(tmp_path, plate_map(tmp_path))
    assert with_levels(sites, None) == sites
    assert with_levels(sites, 0.5) == sites
    coarse = with_levels(sites, 1.1)
    assert coarse[0].names == tuple(f"P1.zarr#field=A:1:0&plane=0,{c},0&level=1" for c in (0, 1))
    assert read_site(coarse[0].files).shape == (2, 150, 130)


def test_other_images_stay_as_they_are(tmp_path: Path) -> None:
    sites = (Site(plate="P1", well="A01", site="1", root=tmp_path, names=("a.tif",)),)
    assert with_levels(sites, 0.5) == sites
