"""Image files of every kind that is read, and what is refused by name."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl.data_folder import data_folder
from gandl_shared.errors import InvalidImage, NotFound, TooLarge, UnsupportedType
from gandl_shared.imaging import decode, read_header, read_image, read_site
from PIL import Image

RNG = np.random.default_rng(0)
FIELD = RNG.integers(0, 60000, (3, 70, 90), dtype=np.uint16)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
@pytest.mark.parametrize("kind", ["plain", "ome"])
def test_a_stack_of_channels_comes_back_as_written(tmp_path: Path, compression: str | None, kind: str) -> None:
    path = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    metadata = {"axes": "CYX"}
    tifffile.imwrite(path, FIELD, compression=compression, metadata=metadata, photometric="minisblack")
    np.testing.assert_array_equal(read_image(path), FIELD)
    assert (read_header(path).channels, read_header(path).dtype) == (3, "uint16")


def test_one_file_a_channel_is_the_same_field(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.tif" for i in range(3)]
    for path, plane in zip(paths, FIELD, strict=True):
        tifffile.imwrite(path, plane)
    np.testing.assert_array_equal(read_site(paths), FIELD)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png(tmp_path: Path, dtype: type) -> None:
    plane = (FIELD[0] // (257 if dtype is np.uint8 else 1)).astype(dtype)
    Image.fromarray(plane).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.dtype == dtype
    np.testing.assert_array_equal(image[0], plane)


def test_a_palette_tiff_is_read_as_its_raw_index(bbbc013: Path) -> None:
    path = bbbc013 / "images" / "Channel1-01-A-01.tif"
    image = read_image(path)
    assert (image.shape, image.dtype) == ((1, 640, 640), np.uint8)
    assert image.max() > 100


def test_the_real_16_bit_field(repository: Path) -> None:
    files = sorted((data_folder("cell_painting_field", checkout=repository) / "images").glob("*.tiff"))
    if not files:
        pytest.skip("no cell_painting_field at hand")
    assert read_site(files).shape == (6, 1080, 1080)
    assert read_site(files).dtype == np.uint16


def test_what_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("not an image")
    for read in (read_image, read_header):
        with pytest.raises(InvalidImage, match=r"a\.tif is not an image gandl reads"):
            read(tmp_path / "a.tif")
    with pytest.raises(NotFound, match=r"b\.tif is not there"):
        read_image(tmp_path / "b.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_a_truncated_tiff_is_found_in_its_header(tmp_path: Path, compression: str | None, keep: float) -> None:
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, FIELD[0], compression=compression)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    for read in (read_header, read_image):
        with pytest.raises(InvalidImage, match=r"cut\.tif"):
            read(path)


def test_damaged_compressed_pixels_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bad.tif"
    tifffile.imwrite(path, FIELD[0], compression="zlib")
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages[0].dataoffsets[0]
    data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(InvalidImage, match=r"bad\.tif cannot be decoded"):
        read_image(path)


def test_colour_and_float64_and_stacks_in_z_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    tifffile.imwrite(tmp_path / "f64.tif", np.zeros((8, 8)))
    tifffile.imwrite(tmp_path / "z.tif", np.zeros((4, 8, 8), np.uint8), imagej=True, metadata={"axes": "ZYX"})
    for name in ("rgb", "f64", "z"):
        with pytest.raises(UnsupportedType, match=f"{name}.tif"):
            read_image(tmp_path / f"{name}.tif")


def test_nan_pixels_are_refused() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.full((8, 8), np.nan, np.float32))
    with pytest.raises(InvalidImage, match="upload holds NaN"):
        decode(buffer.getvalue(), "upload")


def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FIELD[0])
    monkeypatch.setattr("gandl_shared.imaging.readers.MAX_PIXELS", 100)
    for read in (read_header, read_image):
        with pytest.raises(TooLarge, match=r"a\.tif"):
            read(tmp_path / "a.tif")


def test_the_channels_of_a_site_share_the_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{i}.tif" for i in range(3)]
    for path, plane in zip(paths, FIELD, strict=True):
        tifffile.imwrite(path, plane)
    monkeypatch.setattr("gandl_shared.imaging.readers.MAX_PIXELS", FIELD.size - 3)
    with pytest.raises(TooLarge, match=r"0\.tif has 1×70×90 pixels; gandl reads at most 6299 here"):
        read_site(paths)
    monkeypatch.setattr("gandl_shared.imaging.readers.MAX_PIXELS", FIELD.size)
    assert read_site(paths).shape == FIELD.shape


def test_channels_of_one_site_must_agree(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FIELD[0])
    tifffile.imwrite(tmp_path / "b.tif", FIELD[0, :60])
    with pytest.raises(InvalidImage, match=r"b\.tif is 60×90 uint16 but a\.tif of the same site is 70×90 uint16"):
        read_site([tmp_path / "a.tif", tmp_path / "b.tif"])
