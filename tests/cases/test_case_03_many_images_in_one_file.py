"""One OME-TIFF per well with several fields of view in it: each is a site, and none is left out without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging import IntensityLimits, Preprocessing, read_header, read_site, split_sites
from gandl_shared.plates import Role, Site, find_sites, read_plate_map
from gandl_worker.sites import SiteTiles, load

from tests.cases.plates import Field, fields, write_plate_map

PREPROCESSING = Preprocessing(limits=IntensityLimits(low=(0, 0), high=(4095, 4095)), size=64, downscale=1)


def images_of(field: Field) -> tuple[Field, ...]:
    """Return three fields: a dark one at the edge of the well first, as microscopes take it."""
    return (field // 8, field, np.ascontiguousarray(field[:, ::-1]))


@pytest.fixture
def sites(tmp_path: Path) -> tuple[Site, ...]:
    """Write the plate, and find its sites without a pattern."""
    (tmp_path / "images/P1").mkdir(parents=True)
    for well, field in fields().items():
        with tifffile.TiffWriter(tmp_path / "images/P1" / f"{well}.ome.tif", ome=True) as writer:
            for image in images_of(field):
                writer.write(image, photometric="minisblack", metadata={"axes": "CYX"})
    plate_map = read_plate_map(write_plate_map(tmp_path / "platemap.csv"))
    assert {well.role for well in plate_map.wells} == {Role.POSITIVE, Role.NEGATIVE, Role.TREATMENT}
    return split_sites(find_sites(tmp_path / "images", plate_map))


def test_each_image_is_a_site(sites: tuple[Site, ...]) -> None:
    assert len(sites) == 3 * len(fields())
    for site in sites[:6]:
        np.testing.assert_array_equal(read_site(site.files), images_of(fields()[site.well])[int(site.site) - 1])


def test_the_worker_cuts_each_image_under_its_own_key(sites: tuple[Site, ...]) -> None:
    loaded = [load(site, PREPROCESSING, "model", None) for site in sites[:3]]
    tiles = [result.tiles for result in loaded if isinstance(result, SiteTiles)]
    assert len({result.key for result in loaded if isinstance(result, SiteTiles)}) == 3
    assert not np.array_equal(tiles[0], tiles[1])


def test_a_file_of_several_images_is_never_taken_for_its_first(sites: tuple[Site, ...]) -> None:
    whole = sites[0].root / sites[0].names[0].partition("#")[0]
    for read in (read_header, lambda path: read_site([path])):
        with pytest.raises(InvalidImage, match=r"holds 3 images \(fields of view\); give one file per image"):
            read(whole)


def test_pages_without_a_description_are_refused_as_channels(tmp_path: Path) -> None:
    """Six pages may be three fields of two channels, or six channels: their number is told, and the model decides."""
    pages = np.concatenate(images_of(next(iter(fields().values()))))
    tifffile.imwrite(tmp_path / "A01.tif", pages, photometric="minisblack", metadata=None)
    assert read_header(tmp_path / "A01.tif").channels == 6
