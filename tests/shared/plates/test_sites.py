"""The images of each well, by columns of the plate map or by a pattern of the file names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import BadInput, Invalid, NotFound
from gandl_shared.plates import PlateMap, find_sites, parse_plate_map, read_plate_map

MAP = "plate,well,role\nP1,A01,mock\nP1,A02,viral\nP1,A03,empty\n"


def plate_map(extra: str = "") -> PlateMap:
    return parse_plate_map(MAP + extra, source="map.csv")


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / name, np.zeros((8, 8), np.uint8))
    return folder


def test_columns_and_pattern_find_the_same_files_of_bbbc013(bbbc013: Path) -> None:
    wells = read_plate_map(bbbc013 / "platemap.csv")
    by_columns = find_sites(bbbc013 / "images", wells)
    assert len(by_columns) == 96
    assert by_columns == find_sites(bbbc013 / "images", wells, "bbbc013")


def test_sites_and_channels_are_sorted_as_numbers(tmp_path: Path) -> None:
    names = [f"P1/{w}_s{s}_w{c}.tif" for w in ("A01", "A02") for s in (2, 10) for c in (1, 2, 11)]
    sites = find_sites(write(tmp_path, *names), plate_map())
    assert [(s.well, s.site) for s in sites] == [("A01", "2"), ("A01", "10"), ("A02", "2"), ("A02", "10")]
    assert sites[0].names == ("P1/A01_s2_w1.tif", "P1/A01_s2_w2.tif", "P1/A01_s2_w11.tif")


def test_channels_can_be_chosen(tmp_path: Path) -> None:
    write(tmp_path, *[f"P1/{w}_s1_w{c}.tif" for w in ("A01", "A02") for c in (1, 2, 3)])
    assert find_sites(tmp_path, plate_map(), channels=["3", "1"])[0].names == ("P1/A01_s1_w3.tif", "P1/A01_s1_w1.tif")
    with pytest.raises(BadInput, match="channel '9' is not among 1, 2, 3"):
        find_sites(tmp_path, plate_map(), channels=["9"])


def test_an_incomplete_site_is_named(tmp_path: Path) -> None:
    write(tmp_path, "P1/A01_s1_w1.tif", "P1/A01_s1_w2.tif", "P1/A02_s1_w1.tif")
    with pytest.raises(Invalid, match="site 1 of well A02 of plate P1 lacks channel 2"):
        find_sites(tmp_path, plate_map())


def test_a_well_without_images_is_named_with_its_row(tmp_path: Path) -> None:
    write(tmp_path, "P1/A01_s1_w1.tif")
    with pytest.raises(Invalid) as caught:
        find_sites(tmp_path, plate_map())
    assert (caught.value.problems[0].row, caught.value.problems[0].file) == (3, "map.csv")


def test_the_folder_must_be_there_and_hold_images(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is not there"):
        find_sites(tmp_path / "none", plate_map())
    with pytest.raises(BadInput, match="holds no images"):
        find_sites(tmp_path, plate_map())
    with pytest.raises(BadInput, match="is not a folder"):
        find_sites(write(tmp_path, "a.tif") / "a.tif", plate_map())


def test_no_pattern_fits(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no layout fits the 1 images.*picture.tif"):
        find_sites(write(tmp_path, "picture.tif"), plate_map())


@pytest.mark.parametrize("name", ["../out.tif", "/etc/hostname", "link.tif"])
def test_files_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    images = tmp_path / "images"
    write(tmp_path, "out.tif")
    write(images, "in.tif")
    (images / "link.tif").symlink_to(tmp_path / "out.tif")
    text = f"plate,well,role,channel_1\nP,A01,mock,in.tif\nP,A02,viral,{name}\n"
    with pytest.raises(Invalid, match="is outside the images folder"):
        find_sites(images, parse_plate_map(text, source="map.csv"))


def test_links_out_are_refused_by_pattern_too(tmp_path: Path) -> None:
    images = write(tmp_path / "images", "P1/A01_s1_w1.tif")
    write(tmp_path, "out.tif")
    (images / "P1/A02_s1_w1.tif").symlink_to(tmp_path / "out.tif")
    with pytest.raises(Invalid, match="link out of the images folder"):
        find_sites(images, plate_map())


def test_a_pattern_without_plate_needs_one_plate(tmp_path: Path) -> None:
    two = plate_map("P2,A01,mock\nP2,A02,viral\n")
    with pytest.raises(Invalid, match="nothing names the plate of the images, and the plate map has 2 plates"):
        find_sites(write(tmp_path, "A01.tif"), two, "{well}.tif")
