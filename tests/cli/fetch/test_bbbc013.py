"""The layout of BBBC013: its plate map, and images with the published pixels."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl.fetch.bbbc013 import bbbc013, check, lay_out, plate_images, plate_map
from gandl_shared.errors import Invalid, InvalidImage
from gandl_shared.imaging import read_site
from gandl_shared.plates import find_sites, read_plate_map

from tests.cli.fetch.publisher import EDGE, bmp, pixels, published_files


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder as the archive of the publisher unpacks to."""
    for name, content in published_files().items():
        path = tmp_path / "published" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "published"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_the_plate_map_is_that_of_the_shared_images(request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue("bbbc013")
    assert (folder / "platemap.csv").read_text(encoding="utf-8") == plate_map()


def test_the_plate_map_has_the_published_layout() -> None:
    """16 negative and 8 positive controls; nine doses of two compounds, each four times, at half-log2 steps."""
    rows = list(csv.DictReader(io.StringIO(plate_map())))
    wells = {row["well"]: (row["role"], row["compound"], row["concentration_um"]) for row in rows}
    assert len(wells) == 96
    assert Counter(row["role"] for row in rows) == {"treatment": 72, "negative_control": 16, "positive_control": 8}
    assert wells["A01"] == wells["D02"] == wells["E02"] == wells["H12"] == ("negative_control", "", "")
    assert wells["A12"] == wells["H01"] == ("positive_control", "Wortmannin", "0.15")
    for compound, highest in (("Wortmannin", 0.25), ("LY294002", 80.0)):
        doses = Counter(
            float(row["concentration_um"]) for row in rows if row["compound"] == compound and row["role"] == "treatment"
        )
        assert set(doses.values()) == {4}
        assert sorted(doses) == pytest.approx([highest / 2**k for k in reversed(range(9))], rel=0.02)
    assert rows[0]["channel_1_gfp"] == "Channel1-01-A-01.tif" and rows[-1]["channel_2_dna"] == "Channel2-96-H-12.tif"


def test_published_images_keep_their_pixels(published: Path, target: Path) -> None:
    lay_out(published, target, edge=EDGE)
    check(target)
    for image in plate_images():
        assert (tifffile.imread(target / "images" / f"{image.stem}.tif") == pixels(image)).all()
    sites = find_sites(target / "images", read_plate_map(target / "platemap.csv"))
    assert len(sites) == 96
    assert (read_site(sites[0].files)[1] == pixels(plate_images()[96])).all()


def test_a_folder_of_ours_is_copied_byte_for_byte(published: Path, target: Path, tmp_path: Path) -> None:
    lay_out(published, target, edge=EDGE)
    copy = tmp_path / "copy"
    copy.mkdir()
    lay_out(target, copy, edge=EDGE)
    for path in target.rglob("*.*"):
        assert (copy / path.relative_to(target)).read_bytes() == path.read_bytes()


def test_every_missing_image_is_named(published: Path, target: Path) -> None:
    for name in ("Channel1-01-A-01.BMP", "Channel2-96-H-12.BMP"):
        (published / "BBBC013_v1_images_bmp" / name).unlink()
    with pytest.raises(Invalid) as error:
        lay_out(published, target, edge=EDGE)
    assert [p.file for p in error.value.problems] == ["Channel1-01-A-01.BMP", "Channel2-96-H-12.BMP"]


def test_two_files_for_one_image_are_refused(published: Path, target: Path) -> None:
    (published / "Channel1-01-A-01.bmp").write_bytes(bmp(np.zeros((EDGE, EDGE), np.uint8)))
    with pytest.raises(Invalid, match="the same image as Channel1-01-A-01.BMP"):
        lay_out(published, target, edge=EDGE)


def test_a_link_is_no_image(published: Path, target: Path, tmp_path: Path) -> None:
    path = published / "BBBC013_v1_images_bmp" / "Channel1-01-A-01.BMP"
    path.rename(tmp_path / "elsewhere.BMP")
    path.symlink_to(tmp_path / "elsewhere.BMP")
    with pytest.raises(Invalid, match="the image is missing"):
        lay_out(published, target, edge=EDGE)


def test_grey_values_in_three_equal_channels_are_read(published: Path, target: Path) -> None:
    image = plate_images()[0]
    rgb = np.repeat(pixels(image)[..., None], 3, axis=2)
    (published / "BBBC013_v1_images_bmp" / f"{image.stem}.BMP").write_bytes(bmp(rgb))
    lay_out(published, target, edge=EDGE)
    assert (tifffile.imread(target / "images" / f"{image.stem}.tif") == pixels(image)).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "not a BMP image that can be decoded"),
        (bmp(np.zeros((EDGE, EDGE), np.uint8))[:-20], "not a BMP image that can be decoded"),
        (bmp(np.zeros((EDGE, EDGE + 1), np.uint8)), f"has {EDGE + 1}×{EDGE} pixels, not {EDGE}×{EDGE}"),
        (bmp(np.eye(EDGE, dtype=np.uint8)[..., None] * np.uint8([9, 0, 0])), "has colours"),
    ],
)
def test_an_image_that_is_none_is_named(published: Path, target: Path, content: bytes, words: str) -> None:
    (published / "BBBC013_v1_images_bmp" / "Channel2-13-B-01.BMP").write_bytes(content)
    with pytest.raises(InvalidImage, match=words) as error:
        lay_out(published, target, edge=EDGE)
    assert [p.file for p in error.value.problems] == ["Channel2-13-B-01.BMP"]


def test_a_tiff_of_another_size_is_named(published: Path, target: Path) -> None:
    (published / "BBBC013_v1_images_bmp" / "Channel2-13-B-01.BMP").unlink()
    tifffile.imwrite(published / "Channel2-13-B-01.tif", np.zeros((EDGE, 2 * EDGE), np.uint8))
    with pytest.raises(InvalidImage, match="not an image of one channel"):
        lay_out(published, target, edge=EDGE)


def test_a_folder_without_an_image_or_with_another_plate_map_is_not_complete(published: Path, target: Path) -> None:
    lay_out(published, target, edge=EDGE)
    (target / "platemap.csv").write_text("plate,well\n")
    with pytest.raises(Invalid, match="not the plate map"):
        check(target)
    (target / "images" / "Channel1-05-A-05.tif").unlink()
    with pytest.raises(Invalid, match="images/Channel1-05-A-05.tif"):
        check(target)


def test_sizes_are_those_of_the_images() -> None:
    data_set = bbbc013()
    assert data_set.unpacked_bytes == 192 * len(bmp(np.zeros((640, 640), np.uint8)))
    assert data_set.archive_bytes < data_set.unpacked_bytes
