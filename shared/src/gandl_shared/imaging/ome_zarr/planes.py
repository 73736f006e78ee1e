"""A plane [H, W] of an image in OME-Zarr, by a reference such as `P1.zarr#field=B:03:0&plane=0,1`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandl_shared.errors import GandlError, InvalidImage
from gandl_shared.files.keys import KeyedFiles, open_keys
from gandl_shared.files.references import ImageReference, parse_reference
from gandl_shared.imaging.greys import Raw
from gandl_shared.plates.layouts.ome_zarr import FIELD, LEVEL, PLANE, field_path
from gandl_shared.plates.ome_zarr import ArrayMetadata, read_array_metadata, read_multiscale


@dataclass(frozen=True, kw_only=True)
class PlaneHeader:
    """Height, width and pixel type of a plane."""

    height: int
    width: int
    dtype: str


def is_plane(reference: ImageReference) -> bool:
    """Return True if a reference is to a plane of an OME-Zarr."""
    return FIELD in reference.parts


def read_plane_header(path: Path) -> PlaneHeader:
    """Return the size and type of a plane without reading its pixels. Raises as `read_plane` does."""
    _, array, _ = _locate(path)
    return PlaneHeader(height=array.shape[-2], width=array.shape[-1], dtype=array.dtype)


def read_plane(path: Path) -> Raw:
    """Read a plane [H, W] of uint8, uint16 or float32.

    Raises NotFound; UnsupportedType; InvalidImage where the metadata do not fit the reference or each other, where a
    chunk is not there, and where one cannot be decoded.
    """
    files, array, plane = _locate(path)
    # zarr takes half a second to import, which a service that reads no OME-Zarr should not pay at its start.
    from gandl_shared.imaging.ome_zarr.chunks import read_chunks  # noqa: PLC0415

    try:
        pixels = read_chunks(files, array, plane)
    except GandlError:
        raise
    except Exception as error:  # a codec may raise any error on damaged chunks; the message needs the file
        raise InvalidImage(f"{array.path} of {files.label} cannot be decoded: {error}") from error
    return np.ascontiguousarray(pixels, dtype=array.dtype)


def _locate(path: Path) -> tuple[KeyedFiles, ArrayMetadata, tuple[int, ...]]:
    """Return the files, the array and the indices of its leading axes that a reference names."""
    reference = parse_reference(path.name)
    files = open_keys(path.parent / reference.file)
    multiscale = read_multiscale(files, field_path(reference.parts[FIELD]))
    plane = _numbers(reference, PLANE)
    level = (_numbers(reference, LEVEL) or (0,))[0]
    if level >= len(multiscale.levels):
        raise InvalidImage(f"{reference} names level {level} of {len(multiscale.levels)}; they count from 0")
    array = read_array_metadata(files, multiscale.levels[level].path, multiscale.zarr_format)
    lengths = array.shape[:-2]
    if len(array.shape) != len(multiscale.axes) or len(plane) != len(lengths):
        raise InvalidImage(f"{reference} does not fit the axes {multiscale.axes} and the shape {list(array.shape)}")
    if any(index >= length for index, length in zip(plane, lengths, strict=True)):
        raise InvalidImage(f"{reference} is outside the shape {list(array.shape)} of the image; export the plate again")
    return files, array, plane


def _numbers(reference: ImageReference, key: str) -> tuple[int, ...]:
    text = reference.parts.get(key, "")
    numbers = text.split(",") if text else []
    if not all(number.isdecimal() and len(number) < 10 for number in numbers):
        raise InvalidImage(f"'{reference}' has a {key} that is no list of numbers")
    return tuple(map(int, numbers))
