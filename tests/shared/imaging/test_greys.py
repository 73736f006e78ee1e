"""Colour tables and white as zero: the greys that are meant, or a refusal."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import InvalidImage, UnsupportedType
from gandl_shared.imaging import decode, read_header
from gandl_shared.imaging.greys import grey_table
from PIL import Image

GREYS = np.random.default_rng(0).integers(0, 256, (30, 40)).astype(np.uint8)
ORDER = np.random.default_rng(1).permutation(256)
"""The grey of each place of a palette that an optimising program wrote in its own order."""
PLACES = np.argsort(ORDER)[GREYS].astype(np.uint8)
RAMP = np.arange(256, dtype=np.uint16)


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def palette_png(pixels: np.ndarray, colours: np.ndarray) -> bytes:
    image = Image.fromarray(pixels)
    image.putpalette(colours.astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("step", [257, 256])
def test_a_palette_of_greys_in_any_order_gives_the_greys(tmp_path: Path, step: int) -> None:
    colours = np.repeat((ORDER.astype(np.uint16) * step)[None], 3, 0)
    contents = {
        "a.tif": tiff(PLACES, photometric="palette", colormap=colours),
        "a.png": palette_png(PLACES, np.repeat(ORDER[:, None], 3, 1)),
    }
    for name, content in contents.items():
        image = decode(content, name)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image[0], GREYS)
        (tmp_path / name).write_bytes(content)
        assert read_header(tmp_path / name).dtype == "uint8"


@pytest.mark.parametrize("hue", [(0, 1, 0), (1, 1, 1), (1, 0, 1), (0.5, 0, 0.5), (0.2, 0.6, 0.9)])
def test_a_lookup_table_of_one_hue_only_colours_the_counts(hue: tuple[float, float, float]) -> None:
    colours = np.rint(np.outer(hue, RAMP)).astype(np.uint16) * 257
    np.testing.assert_array_equal(decode(tiff(GREYS, imagej=True, colormap=colours), "a.tif")[0], GREYS)
    np.testing.assert_array_equal(decode(palette_png(GREYS, (colours // 257).T), "a.png")[0], GREYS)


def test_a_falling_table_and_one_of_16_bit_are_applied() -> None:
    falling = np.repeat((RAMP[::-1] * 257)[None], 3, 0)
    np.testing.assert_array_equal(decode(tiff(GREYS, photometric="palette", colormap=falling), "a")[0], 255 - GREYS)
    fine = np.repeat(np.sqrt(RAMP / 255)[None] * 65535, 3, 0).astype(np.uint16)
    image = decode(tiff(GREYS, photometric="palette", colormap=fine), "a.tif")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image[0], fine[0][GREYS])


def test_a_table_of_several_hues_is_refused_by_name() -> None:
    """Fire runs over purple and yellow; Hi-Lo marks the lowest count blue and the highest red."""
    fire = np.stack([np.minimum(RAMP * 3, 255), np.clip(RAMP.astype(int) * 3 - 255, 0, 255), RAMP // 2]) * 257
    high_low = np.repeat(RAMP[None] * 257, 3, 0)
    high_low[:, 0], high_low[:, 255] = (0, 0, 65535), (65535, 0, 0)
    for colours in (fire.astype(np.uint16), high_low):
        for content in (
            tiff(GREYS, photometric="palette", colormap=colours),
            palette_png(GREYS, (colours // 257).T),
        ):
            with pytest.raises(UnsupportedType, match=r"a\.tif is drawn with a colour table of several hues; save"):
                decode(content, "a.tif")


def test_a_black_table_is_black() -> None:
    assert not grey_table(np.zeros((3, 4), np.uint16), "a.png").any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_as_zero_is_turned_round(tmp_path: Path, dtype: type) -> None:
    largest = np.iinfo(dtype).max
    for pixels in (GREYS.astype(dtype), np.stack([GREYS, GREYS // 2]).astype(dtype)):
        (tmp_path / "a.tif").write_bytes(tiff(largest - pixels, photometric="miniswhite"))
        image = decode((tmp_path / "a.tif").read_bytes(), "a.tif")
        assert image.dtype == dtype
        np.testing.assert_array_equal(image.squeeze(), pixels)
        assert read_header(tmp_path / "a.tif").dtype == np.dtype(dtype).name


def test_white_as_zero_of_12_bits_is_turned_within_12_bits() -> None:
    packed = tiff(np.zeros((4, 4), np.uint16), photometric="miniswhite").replace(
        b"\x02\x01\x03\x00\x01\x00\x00\x00\x10\x00", b"\x02\x01\x03\x00\x01\x00\x00\x00\x0c\x00"
    )
    np.testing.assert_array_equal(decode(packed, "a.tif"), np.full((1, 4, 4), 4095))


def test_white_as_zero_without_a_certain_meaning_is_refused() -> None:
    with pytest.raises(UnsupportedType, match=r"a\.tif says that white is zero, and an image of float32 states no"):
        decode(tiff(GREYS.astype(np.float32), photometric="miniswhite"), "a.tif")
    with pytest.raises(UnsupportedType, match=r"a\.tif was saved by ImageJ with an inverted lookup table"):
        decode(tiff(GREYS, photometric="miniswhite", description="ImageJ=1.54\n"), "a.tif")


def test_pages_of_different_kinds_are_no_stack() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for photometric in ("minisblack", "miniswhite"):
            writer.write(GREYS, photometric=photometric, metadata=None, contiguous=False)
    with pytest.raises(
        InvalidImage, match=r"the pages of a\.tif differ: 30×40 uint8 minisblack none and 30×40 uint8 miniswhite none"
    ):
        decode(buffer.getvalue(), "a.tif")
