"""Planes of an OME-Zarr: the same pixels as ome-zarr-py reads, or a refusal that names the plate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from gandl_shared.errors import InvalidImage, NotFound, UnsupportedType
from gandl_shared.imaging import (
    Preprocessing,
    decode,
    prepare_field,
    read_content,
    read_header,
    read_image,
    read_site,
    sampled_limits,
)
from gandl_shared.plates import find_sites

from tests.shared.ome_zarr_plates import FIELDS, WELLS, change, plate_map, write_plate
from tests.shared.ome_zarr_py import nodes


def by_ome_zarr(folder: Path) -> np.ndarray:
    """Return the full level of one image as ome-zarr-py reads it, [T, C, Z, Y, X]."""
    (node,) = nodes(folder)
    return np.asarray(node.data[0])


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_pixels_are_those_that_ome_zarr_py_reads(tmp_path: Path, zarr_format: int) -> None:
    plate = write_plate(tmp_path / "P1.zarr", zarr_format)
    for site in find_sites(tmp_path, plate_map(tmp_path)):
        row, column = site.well[0], int(site.well[1:])
        expected = by_ome_zarr(plate / row / str(column) / str(int(site.site) - 1))
        assert expected.shape == (1, 2, 1, 300, 260)
        np.testing.assert_array_equal(read_site(site.files), expected[0, :, 0])


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_prepared_fields_are_bit_identical_to_those_of_tiff(tmp_path: Path, zarr_format: int) -> None:
    write_plate(tmp_path / "zarr" / "P1.zarr", zarr_format)
    for well, fields in zip(WELLS, FIELDS, strict=True):
        for number, field in enumerate(fields, start=1):
            for channel in (0, 1):
                path = tmp_path / "tiff" / "P1" / f"{well}_s{number}_w{channel + 1}.tif"
                path.parent.mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(path, field[channel])
    prepared = []
    for images in ("tiff", "zarr"):
        sites = find_sites(tmp_path / images, plate_map(tmp_path))
        limits = sampled_limits([site.files for site in sites], downscale=2)
        how = Preprocessing(limits=limits, size=64, downscale=2)
        prepared.append(np.stack([prepare_field(read_site(site.files), how) for site in sites]))
    np.testing.assert_array_equal(*prepared)


COMPRESSORS: dict[str, tuple[int, dict[str, Any]]] = {
    "v2-plain": (2, {"compressors": None}),
    "v2-blosc": (2, {}),
    "v2-dots": (2, {"chunk_key_encoding": {"name": "v2", "separator": "."}}),
    "v2-fortran": (2, {"order": "F"}),
    "v3-plain": (3, {"compressors": None}),
    "v3-gzip": (3, {"compressors": {"name": "gzip", "configuration": {"level": 1}}}),
    "v3-blosc": (3, {"compressors": {"name": "blosc", "configuration": {"cname": "lz4"}}}),
    "v3-sharded": (3, {"shards": (1, 1, 1, 320, 320)}),
    "v3-big": (3, {"serializer": {"name": "bytes", "configuration": {"endian": "big"}}}),
}


@pytest.mark.parametrize("style", COMPRESSORS)
def test_compressed_and_sharded_chunks(tmp_path: Path, style: str) -> None:
    zarr_format, options = COMPRESSORS[style]
    plate = write_plate(tmp_path / "P1.zarr", zarr_format)
    pixels = FIELDS[0, 0][None, :, None]
    array = zarr.create_array(
        store=str(plate / "A/1/0/0"),
        shape=pixels.shape,
        dtype=pixels.dtype,
        chunks=(1, 1, 1, 64, 64),
        zarr_format=zarr_format,
        overwrite=True,
        **options,
    )
    array[...] = pixels
    names = [f"P1.zarr#field=A:1:0&plane=0,{channel},0" for channel in (0, 1)]
    np.testing.assert_array_equal(read_site([tmp_path / name for name in names]), FIELDS[0, 0])


def test_a_plane_is_one_channel_with_a_header(tmp_path: Path) -> None:
    write_plate(tmp_path / "P1.zarr", 3)
    path = tmp_path / "P1.zarr#field=A:1:0&plane=0,1,0"
    header = read_header(path)
    assert (header.channels, header.height, header.width, header.dtype) == (1, 300, 260, "uint16")
    np.testing.assert_array_equal(read_image(path), FIELDS[0, 0, 1:])
    np.testing.assert_array_equal(decode(read_content(path), path.name), FIELDS[0, 0, 1:])
    level = read_image(tmp_path / "P1.zarr#field=A:1:0&plane=0,1,0&level=1")
    assert level.shape == (1, 150, 130)


def test_the_content_depends_only_on_the_pixels(tmp_path: Path) -> None:
    """The key of a vector is a hash of it, so the same plate in another version of OME-Zarr has the same keys."""
    for zarr_format in (2, 3):
        write_plate(tmp_path / str(zarr_format) / "P1.zarr", zarr_format)
    name = "P1.zarr#field=B:3:1&plane=0,1,0"
    assert read_content(tmp_path / "2" / name) == read_content(tmp_path / "3" / name)
    assert read_content(tmp_path / "2" / name) != read_content(tmp_path / "2" / name.replace("0,1,0", "0,0,0"))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ("field=A:1:0&plane=0,2,0", "is outside the shape"),
        ("field=A:1:0&plane=0,0", "does not fit the axes tczyx"),
        ("field=A:1:0", "does not fit the axes tczyx"),
        ("field=A:1:0&plane=0,0,0&level=2", "names level 2 of 2"),
        ("field=A:1:0&plane=0,-1,0", "that is no list of numbers"),
        ("field=A:1:7&plane=0,0,0", r"A/1/7 of P1\.zarr is no image"),
        ("field=..:..:x&plane=0,0,0", "which is no path below it"),
        ("field=:etc:x&plane=0,0,0", "which is no path below it"),
    ],
)
def test_a_reference_that_does_not_fit_is_refused(tmp_path: Path, parts: str, words: str) -> None:
    write_plate(tmp_path / "P1.zarr", 3)
    for read in (read_header, read_image):
        with pytest.raises(InvalidImage, match=words):
            read(tmp_path / f"P1.zarr#{parts}")


def test_a_plate_that_is_gone_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"P1\.zarr is not there"):
        read_image(tmp_path / "P1.zarr#field=A:1:0&plane=0,0,0")


def test_a_chunk_that_is_not_there_is_never_invented(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "P1.zarr", 2)
    (plate / "A/1/0/0/0/0/0/0/0").unlink()
    with pytest.raises(InvalidImage, match=r"A/1/0/0 of P1\.zarr lacks the chunk A/1/0/0/0/0/0/0/0, and its pixels"):
        read_image(tmp_path / "P1.zarr#field=A:1:0&plane=0,0,0")
    np.testing.assert_array_equal(read_image(tmp_path / "P1.zarr#field=A:1:0&plane=0,1,0"), FIELDS[0, 0, 1:])


def test_a_chunk_that_is_damaged_or_a_link_out_is_refused(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "P1.zarr", 2)
    chunk = plate / "A/1/0/0/0/0/0/0/0"
    content = chunk.read_bytes()
    chunk.write_bytes(b"\xff" * 100)
    with pytest.raises(InvalidImage, match=r"A/1/0/0 of P1\.zarr cannot be decoded"):
        read_image(tmp_path / "P1.zarr#field=A:1:0&plane=0,0,0")
    (tmp_path / "secret").write_bytes(content)
    chunk.unlink()
    chunk.symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidImage, match="is a link out of it"):
        read_image(tmp_path / "P1.zarr#field=A:1:0&plane=0,0,0")


def test_pixels_of_another_type_are_refused(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "P1.zarr", 2)
    change(plate / "A/1/0/0/.zarray", lambda document: document.update(dtype="<f8"))
    with pytest.raises(UnsupportedType, match="has pixels of type <f8; gandl reads uint8, uint16, float32"):
        read_image(tmp_path / "P1.zarr#field=A:1:0&plane=0,0,0")
