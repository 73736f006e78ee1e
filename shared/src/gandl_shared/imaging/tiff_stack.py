"""The planes of a TIFF file, read from its own bytes and never from another file.

tifffile assembles OME, Micro-Manager and NDTiff sets from other files, which one file names or which are in the same
folder. This module reads those three page by page. The kinds of series that tifffile may read use only pages of the
file itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from gandl_shared.errors import InvalidImage, UnsupportedType
from gandl_shared.imaging.ome import TiffPages, own_planes

Raw = NDArray[Any]  # uint8, uint16 or float32: the type that the camera wrote

_OWN_PAGES = frozenset(
    {"shaped", "lsm", "imagej", "fluoview", "stk", "sis", "svs", "scn", "qpi"}
    | {"ndpi", "bif", "avs", "eer", "philips", "scanimage", "nih", "mdgel", "uniform"}
)
"""Kinds of series for which tifffile opens no other file. All other kinds are switched off."""

_NO_SERIES = frozenset({"agilent", "indica", "vista"})
"""Further flags, which tifffile's pages and its generic series need."""

_NDTIFF, _INDEX_ADDRESS, _INDEX = 483729, 54773648, 3453623
"""Numbers that mark an NDTiff, the address of the index of a Micro-Manager file, and the index itself."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Planes that are not decoded yet. `axes` are tifffile's letters of the axes longer than one; `read` decodes."""

    shape: tuple[int, ...]
    axes: str
    dtype: str
    read: Callable[[], Raw]


def open_tiff(file: BinaryIO) -> tifffile.TiffFile:
    """Open `file` as a TIFF whose `series` reads no other file. Raises tifffile.TiffFileError."""
    # A kind that a later tifffile adds is off too, until somebody has checked that it opens no other file.
    kinds = tifffile.TIFF.FILE_FLAGS - _OWN_PAGES - _NO_SERIES
    off: dict[str, Any] = {f"is_{kind}": False for kind in kinds}  # Any: mypy confuses them with the other arguments
    return tifffile.TiffFile(file, **off)


def stack_of(tiff: tifffile.TiffFile, name: str) -> Stack:
    """Return the planes of a file that `open_tiff` opened. Raises InvalidImage, UnsupportedType, naming the file."""
    if not len(tiff.pages):
        raise InvalidImage(f"{name} is a TIFF without a page; export the image again")
    first = tiff.pages.first
    if first.axes.endswith("S"):  # the reader refuses a colour image, so its description does not matter
        return _of_pages([first], "", (), name)
    # tifffile reads these two kinds from the file itself, whatever else its description says.
    if not (first.is_shaped or first.is_lsm):
        planes = (_ome(tiff, name) if first.is_ome else None) or _micro_manager(tiff, name)
        if planes is not None:
            return planes
    series = tiff.series[0]
    return Stack(
        shape=series.get_shape(squeeze=True),
        axes=series.get_axes(squeeze=True),
        dtype=str(series.dtype),
        read=series.asarray,
    )


def _ome(tiff: tifffile.TiffFile, name: str) -> Stack | None:
    """Return the planes by the OME-XML of the first page, or None if the XML refers to that of another file."""
    first = tiff.pages.first
    samples = first.shape[0] if first.axes == "SYX" else 1
    planes = own_planes(first.description, TiffPages(name.rsplit("/", 1)[-1], len(tiff.pages), samples))
    if planes is None:
        return None
    pages = [tiff.pages[number].aspage() for number in planes.pages]
    if pages[0].shape[-2:] != (planes.height, planes.width):
        stated = f"{planes.height}×{planes.width} pixels but the page has {_size(pages[0])}"
        raise InvalidImage(f"the OME-XML of {name} states {stated}; export the image again")
    return _of_pages(pages, planes.axes, planes.shape, name)


def _micro_manager(tiff: tifffile.TiffFile, name: str) -> Stack | None:
    """Return the planes by Micro-Manager's own index of the file, or None if there is no index.

    Its address follows the header of the TIFF (https://micro-manager.org/Micro-Manager_File_Formats).
    """
    pages = len(tiff.pages)
    if not tiff.pages.first.is_micromanager or pages == 1:
        return None
    magic, address = _numbers(tiff, 8, 2)
    if magic == _NDTIFF:
        detail = f"{name} is an NDTiff stack, and another file, which gandl does not read, describes its pages"
        raise UnsupportedType(f"{detail}; export one file per channel")
    if magic != _INDEX_ADDRESS:
        return None
    magic, rows = _numbers(tiff, address, 2)
    if magic != _INDEX or rows != pages:
        raise InvalidImage(f"{name} is a Micro-Manager stack without an index of its {pages} pages; export it again")
    return _indexed(tiff, np.array(_numbers(tiff, address + 8, 5 * pages)).reshape(pages, 5), name)


def _indexed(tiff: tifffile.TiffFile, index: NDArray[np.int64], name: str) -> Stack:
    """Return the planes by an index of channel, slice, frame, position and address of each page.

    The channel varies fastest and the position slowest.
    """
    # The index has the order in which the pages were taken, which need not be the order of the axes.
    rows = index[np.lexsort(index[:, :4].T)]
    lengths = {axis: len(np.unique(rows[:, column])) for axis, column in (("R", 3), ("T", 2), ("Z", 1), ("C", 0))}
    by_address = {page.offset: page.aspage() for page in tiff.pages}
    pages = [by_address[address] for address in rows[:, 4].tolist() if address in by_address]
    # A wrong index would exchange channels in silence, so each page must appear exactly once.
    if not len(np.unique(rows, axis=0)) == len(pages) == len(rows) == math.prod(lengths.values()):
        raise InvalidImage(f"the index of the Micro-Manager stack {name} does not fit its pages; export it again")
    if lengths["R"] > 1:
        raise InvalidImage(f"{name} holds {lengths['R']} positions; give one file per image (field of view)")
    long = {axis: length for axis, length in lengths.items() if length > 1}
    return _of_pages(pages, "".join(long), tuple(long.values()), name)


def _numbers(tiff: tifffile.TiffFile, address: int, count: int) -> list[int]:
    """Return unsigned 32-bit numbers of the file. Raises ValueError if the file ends before them."""
    tiff.filehandle.seek(address)
    numbers: list[int] = np.frombuffer(tiff.filehandle.read(4 * count), f"{tiff.byteorder}u4").tolist()
    if len(numbers) != count:
        raise ValueError(f"the file ends before {count} numbers at {address}")
    return numbers


def _of_pages(pages: Sequence[tifffile.TiffPage], axes: str, shape: tuple[int, ...], name: str) -> Stack:
    first = pages[0]
    for page in pages:
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            sizes = f"{_size(first)} {first.dtype} and {_size(page)} {page.dtype}"
            raise InvalidImage(f"the planes of {name} differ: {sizes}; give one file per channel")
    return Stack(
        shape=(*shape, *first.shape),
        axes=axes + first.axes,
        dtype=str(first.dtype),
        read=lambda: _decode(pages, shape),
    )


def _decode(pages: Sequence[tifffile.TiffPage], shape: tuple[int, ...]) -> Raw:
    if len(pages) == 1:
        single: Raw = pages[0].asarray()
        return single
    planes = np.stack([page.asarray() for page in pages])
    return planes.reshape(*shape, *planes.shape[1:])


def _size(page: tifffile.TiffPage) -> str:
    return "×".join(map(str, page.shape))
