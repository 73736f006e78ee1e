"""The same counts in every encoding of microscopes, ImageJ, Photoshop and converters: equal, or refused by name."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import BadInput
from gandl_shared.imaging import read_header, read_site
from numpy.typing import NDArray
from PIL import Image

from tests.cases.plates import fields

FIELD = next(iter(fields().values()))
PLANE = FIELD[0]
BYTES = (PLANE >> 4).astype(np.uint8)
ORDER = np.random.default_rng(2).permutation(256)
PLACES = np.argsort(ORDER)[BYTES].astype(np.uint8)
RAMP = np.arange(256, dtype=np.uint16) * 257

Plane = NDArray[np.generic]
Writer = Callable[[Path], object]


def tiff(pixels: Plane, **options: object) -> Writer:
    return lambda path: tifffile.imwrite(path, pixels, **{"photometric": "minisblack", **options})


def pages(*images: Plane) -> Writer:
    def write(path: Path) -> None:
        with tifffile.TiffWriter(path) as writer:
            for image in images:
                writer.write(image, metadata=None, photometric="minisblack", contiguous=False)

    return write


def pyramid(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(PLANE, subifds=1, tile=(64, 64), photometric="minisblack")
        writer.write(PLANE[::2, ::2], subfiletype=1, tile=(64, 64), photometric="minisblack")


def packed(path: Path) -> None:
    """Write 12 bits a sample without compression, two pixels in three bytes."""
    height, width = PLANE.shape
    pairs = PLANE.astype(np.uint32).reshape(height, width // 2, 2)
    both = (pairs[..., 0] << 12) | pairs[..., 1]
    data = np.stack([both >> 16, both >> 8 & 255, both & 255], -1).astype(np.uint8).tobytes()
    tags = [(256, width), (257, height), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, height)]
    tags.append((279, len(data)))
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    path.write_bytes(head + data + struct.pack("<H", len(tags)) + directory + bytes(4))


def png(pixels: Plane, palette: Plane | None = None) -> Writer:
    def write(path: Path) -> None:
        image = Image.fromarray(pixels)
        if palette is not None:
            image.putpalette(palette.astype(np.uint8).tobytes())
        image.save(path, "PNG")

    return write


GREEN = np.stack([RAMP * 0, RAMP, RAMP * 0])
SHUFFLED = np.repeat((ORDER.astype(np.uint16) * 257)[None], 3, 0)

EQUAL: dict[str, tuple[str, Writer, Plane]] = {
    "bigendian": ("a.tif", tiff(PLANE.astype(">u2"), byteorder=">"), PLANE),
    "bigtiff": ("a.tif", tiff(PLANE, bigtiff=True), PLANE),
    **{c: ("a.tif", tiff(PLANE, compression=c), PLANE) for c in ("lzw", "zstd", "zlib", "jpeg2000", "jpegxr", "png")},
    "tiled": ("a.tif", tiff(PLANE, tile=(64, 64), compression="lzw", predictor=True), PLANE),
    "packed12": ("a.tif", packed, PLANE),
    "miniswhite8": ("a.tif", tiff(255 - BYTES, photometric="miniswhite"), BYTES),
    "miniswhite16": ("a.tif", tiff(65535 - PLANE, photometric="miniswhite"), PLANE),
    "imagej-lut": ("a.tif", tiff(BYTES, photometric=None, imagej=True, colormap=GREEN), BYTES),
    "palette8": ("a.tif", tiff(PLACES, photometric="palette", colormap=SHUFFLED), BYTES),
    "png16": ("a.png", png(PLANE), PLANE),
    "png8": ("a.png", png(BYTES), BYTES),
    "png8-palette": ("a.png", png(PLACES, np.repeat(ORDER[:, None], 3, 1)), BYTES),
    "png8-greenlut": ("a.png", png(BYTES, GREEN.T // 257), BYTES),
    "png-as-tif": ("a.tif", png(PLANE), PLANE),
    "tif-as-png": ("a.png", tiff(PLANE), PLANE),
    "pyramid": ("a.tif", pyramid, PLANE),
    "pyramid-pages": ("a.tif", pages(PLANE, PLANE[::2, ::2], PLANE[::4, ::4]), PLANE),
    "thumb-first": ("a.tif", pages(PLANE[::2, ::2][:, :48], PLANE), PLANE),
    "thumb-last": ("a.tif", pages(PLANE, PLANE[::4, ::4]), PLANE),
    "stack-cyx": ("a.tif", tiff(FIELD), FIELD),
    "stack-imagej": ("a.tif", tiff(FIELD, photometric=None, imagej=True, metadata={"axes": "CYX"}), FIELD),
    "stack-ome-cz": ("a.tif", tiff(FIELD[:, None], ome=True, metadata={"axes": "CZYX"}), FIELD),
    "stack-planar": ("a.tif", tiff(FIELD, planarconfig="separate"), FIELD),
}

ALPHA = np.stack([PLANE, np.full_like(PLANE, 65535)], -1)
REFUSED: dict[str, tuple[str, Writer, str]] = {
    **{
        name: ("a.tif", tiff(PLANE.astype(name)), f"has pixels of type {name}")
        for name in ("int16", "uint32", "float16", "float64")
    },
    "miniswhite-float": ("a.tif", tiff(PLANE.astype(np.float32), photometric="miniswhite"), "says that white is zero"),
    "rgb8": ("a.tif", tiff(np.repeat(BYTES[..., None], 3, -1), photometric="rgb"), "is a colour image"),
    "grey-alpha": ("a.tif", tiff(ALPHA, planarconfig="contig", extrasamples=["unassalpha"]), "is a colour image"),
    "png8-alpha": ("a.png", png(np.stack([BYTES, np.full_like(BYTES, 255)], -1)), "is a PNG of mode LA"),
    "png-rgb": ("a.png", png(np.repeat(BYTES[..., None], 3, -1)), "is a PNG of mode RGB"),
    "zstack-imagej": ("a.tif", tiff(FIELD, photometric=None, imagej=True, metadata={"axes": "ZYX"}), "has axes ZYX"),
    "stack-ome-t": ("a.tif", tiff(FIELD, ome=True, metadata={"axes": "TYX"}), "has axes TYX"),
    "stack-imagej-zc": (
        "a.tif",
        tiff(np.stack([FIELD, FIELD]), photometric=None, imagej=True, metadata={"axes": "ZCYX"}),
        "has axes ZCYX",
    ),
    "stack-yxc": ("a.tif", tiff(np.moveaxis(FIELD, 0, -1), planarconfig="contig"), "is a colour image"),
    "stack-mixed": ("a.tif", pages(PLANE, BYTES), "the pages of a.tif differ"),
}


@pytest.mark.parametrize("style", EQUAL)
def test_another_encoding_gives_the_same_counts(tmp_path: Path, style: str) -> None:
    name, write, expected = EQUAL[style]
    write(tmp_path / name)
    image = read_site([tmp_path / name])
    assert read_header(tmp_path / name).dtype == str(image.dtype) == str(expected.dtype)
    np.testing.assert_array_equal(image.reshape(expected.shape), expected)


@pytest.mark.parametrize("style", REFUSED)
def test_what_is_not_certain_is_refused_by_name(tmp_path: Path, style: str) -> None:
    name, write, words = REFUSED[style]
    write(tmp_path / name)
    for read in (read_header, lambda path: read_site([path])):
        with pytest.raises(BadInput, match=words) as error:
            read(tmp_path / name)
        assert name in str(error.value)
