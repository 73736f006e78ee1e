"""The planes of a TIFF file, read from its own bytes and never from another file.

tifffile assembles OME, Micro-Manager and NDTiff sets from other files, which one file names or which are in the same
folder. This module reads those three page by page. The kinds of series that tifffile may read use only pages of the
file itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import tifffile
from numpy.typing import NDArray

from gandl_shared.errors import InvalidImage, UnsupportedType
from gandl_shared.imaging.greys import Greys, Raw, greys_of_page
from gandl_shared.imaging.tiff.ome import OwnPlanes, TiffPages, own_images

MAX_NAME = 100
"""The longest text of a page that counts as its name, in characters."""

_NDTIFF, _INDEX_ADDRESS, _INDEX = 483729, 54773648, 3453623
"""Numbers that mark an NDTiff, the address of the index of a Micro-Manager file, and the index itself."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Planes that are not decoded yet. `axes` are tifffile's letters of the axes longer than one; `read` decodes.

    `names` are what the file calls its planes, one for each (empty where it says nothing about a plane), or none.
    """

    shape: tuple[int, ...]
    axes: str
    dtype: str
    read: Callable[[], Raw]
    names: tuple[str, ...] = ()


def images_of(tiff: tifffile.TiffFile, name: str) -> tuple[Stack, ...]:
    """Return the images (fields of view) of a file that `open_tiff` opened, at least one, all of one size and type.

    Raises InvalidImage and UnsupportedType, naming the file.
    """
    if not len(tiff.pages):
        raise InvalidImage(f"{name} is a TIFF without a page; export the image again")
    first = tiff.pages.first
    if first.axes.endswith("S"):  # the reader refuses a colour image, so its description does not matter
        return (_of_pages([first], "", (), name),)
    # tifffile reads these two kinds from the file itself, whatever else its description says.
    if not (first.is_shaped or first.is_lsm):
        images = (_ome(tiff, name) if first.is_ome else None) or _micro_manager(tiff, name)
        if images is not None:
            return _of_one_size(images, name)
    series = _full_size(tiff.series)
    # tifffile writes several images as series. In other files, pages of another kind may be channels as well as fields.
    if len(series) > 1 and not first.is_shaped:
        kinds = f"{_kind(series[0].keyframe)} and {_kind(series[1].keyframe)}"
        raise InvalidImage(f"the pages of {name} differ: {kinds}; give one file per channel or per image")
    stacks = [_of_series(each, name) for each in series]
    names = _names_of_file(tiff) if len(stacks) == 1 else ()
    return _of_one_size([replace(each, names=names or each.names) for each in stacks], name)


def _kind(page: tifffile.TiffPage) -> str:
    words = (getattr(value, "name", str(value)).lower() for value in (page.photometric, page.compression))
    return f"{_size(page)} {page.dtype} {' '.join(words)}"


def _of_one_size(images: Sequence[Stack], name: str) -> tuple[Stack, ...]:
    forms = dict.fromkeys((image.axes, image.shape, image.dtype) for image in images)
    if len(forms) > 1:
        two = " and ".join(f"{'×'.join(map(str, shape))} {dtype}" for _, shape, dtype in list(forms)[:2])
        raise InvalidImage(f"{name} holds images of different forms: {two}; give one file per image (field of view)")
    return tuple(images)


def _full_size(series: Sequence[tifffile.TiffPageSeries]) -> list[tifffile.TiffPageSeries]:
    """Leave out the thumbnails and reduced copies: series with at most half of the largest height and width."""
    sizes = [(each.keyframe.imagelength, each.keyframe.imagewidth) for each in series]
    height, width = max(sizes, key=math.prod)
    # A reduced copy of an odd size is rounded up.
    reduced = [2 * h <= height + 1 and 2 * w <= width + 1 for h, w in sizes]
    return [each for each, is_reduced in zip(series, reduced, strict=True) if not is_reduced]


def _names_of_file(tiff: tifffile.TiffFile) -> tuple[str, ...]:
    """Return the names of the planes that ImageJ or tifffile wrote into the head of the file, or none."""
    imagej, shaped = tiff.imagej_metadata or {}, (tiff.shaped_metadata or ({},))[0]
    channels = shaped.get("Channel")
    named = imagej.get("Labels") or (channels.get("Name") if isinstance(channels, dict) else None)
    return tuple(str(each or "") for each in named) if isinstance(named, list | tuple) else ()


def _name_of_page(page: tifffile.TiffPage) -> str:
    """Return what a page calls itself: its PageName, the channel of Micro-Manager, or a short description."""
    micro_manager = page.tags.valueof("MicroManagerMetadata", {})
    channel = micro_manager.get("Channel") if isinstance(micro_manager, dict) else None
    texts = (page.tags.valueof("PageName"), channel, page.description)
    text = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    # Longer descriptions, XML and JSON tell about the instrument, where any dye may be mentioned.
    return "" if len(text) > MAX_NAME or text.lstrip()[:1] in ("<", "{") else text


def _of_series(series: tifffile.TiffPageSeries, name: str) -> Stack:
    pages = [page.aspage() for page in series.pages if page is not None]
    greys = _greys(pages, name)
    return Stack(
        shape=series.get_shape(squeeze=True),
        axes=series.get_axes(squeeze=True),
        dtype=greys.dtype,
        read=lambda: greys.convert(series.asarray()),
        names=tuple(map(_name_of_page, pages)),
    )


def _greys(pages: Sequence[tifffile.TiffPage], name: str) -> Greys:
    greys = [greys_of_page(page, name) for page in pages]
    if len({each.code for each in greys}) > 1:
        raise InvalidImage(f"the planes of {name} differ in type or colour table; give one file per channel")
    return greys[0]


def _ome(tiff: tifffile.TiffFile, name: str) -> list[Stack] | None:
    """Return the images by the OME-XML of the first page, or None if the XML refers to that of another file."""
    first = tiff.pages.first
    samples = first.shape[0] if first.axes == "SYX" else 1
    images = own_images(first.description, TiffPages(name.rsplit("/", 1)[-1], len(tiff.pages), samples))
    return None if images is None else [_of_planes(tiff, planes, name) for planes in images]


def _of_planes(tiff: tifffile.TiffFile, planes: OwnPlanes, name: str) -> Stack:
    pages = [tiff.pages[number].aspage() for number in planes.pages]
    if pages[0].shape[-2:] != (planes.height, planes.width):
        stated = f"{planes.height}×{planes.width} pixels but the page has {_size(pages[0])}"
        raise InvalidImage(f"the OME-XML of {name} states {stated}; export the image again")
    return replace(_of_pages(pages, planes.axes, planes.shape, name), names=planes.names)


def _micro_manager(tiff: tifffile.TiffFile, name: str) -> list[Stack] | None:
    """Return the images by Micro-Manager's own index of the file, one per position, or None if there is no index.

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


def _indexed(tiff: tifffile.TiffFile, index: NDArray[np.int64], name: str) -> list[Stack]:
    """Return the image of each position by an index of channel, slice, frame, position and address of each page.

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
    positions = lengths.pop("R")
    long = {axis: length for axis, length in lengths.items() if length > 1}
    size = len(pages) // positions
    parts = (pages[i * size : (i + 1) * size] for i in range(positions))
    return [_of_pages(part, "".join(long), tuple(long.values()), name) for part in parts]


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
    greys = _greys(pages, name)
    return Stack(
        shape=(*shape, *first.shape),
        axes=axes + first.axes,
        dtype=greys.dtype,
        read=lambda: greys.convert(_decode(pages, shape)),
        names=tuple(map(_name_of_page, pages)),
    )


def _decode(pages: Sequence[tifffile.TiffPage], shape: tuple[int, ...]) -> Raw:
    if len(pages) == 1:
        single: Raw = pages[0].asarray()
        return single
    planes = np.stack([page.asarray() for page in pages])
    return planes.reshape(*shape, *planes.shape[1:])


def _size(page: tifffile.TiffPage) -> str:
    return "×".join(map(str, page.shape))
