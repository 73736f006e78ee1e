"""A TIFF is opened in one way: its directories are checked first, and whatever a library raises becomes one error."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import tifffile

from gandl_shared.errors import InvalidImage
from gandl_shared.imaging.safety.damage import damage_named
from gandl_shared.imaging.safety.tiff_directories import MAX_PAGES, check_directories

_OWN_PAGES = frozenset(
    {"shaped", "lsm", "imagej", "fluoview", "stk", "sis", "svs", "scn", "qpi"}
    | {"ndpi", "bif", "avs", "eer", "philips", "scanimage", "nih", "mdgel", "uniform"}
)
"""Kinds of series for which tifffile opens no other file. All other kinds are switched off."""

_NO_SERIES = frozenset({"agilent", "indica", "vista"})
"""Further flags, which tifffile's pages and its generic series need."""


@contextmanager
def reading_tiff(file: BinaryIO, name: str, max_pages: int = MAX_PAGES) -> Iterator[tifffile.TiffFile]:
    """Open a TIFF of at most `max_pages` complete pages.

    What a library raises in the block becomes InvalidImage or TooLarge.
    """
    with damage_named(name):
        check_directories(file, name, max_pages)
        with open_tiff(file) as tiff:
            _check_complete(tiff, name)
            yield tiff


def open_tiff(file: BinaryIO) -> tifffile.TiffFile:
    """Open `file` as a TIFF whose `series` reads no other file. Raises tifffile.TiffFileError."""
    # A kind that a later tifffile adds is off too, until somebody has checked that it opens no other file.
    kinds = tifffile.TIFF.FILE_FLAGS - _OWN_PAGES - _NO_SERIES
    off: dict[str, Any] = {f"is_{kind}": False for kind in kinds}  # Any: mypy confuses them with the other arguments
    return tifffile.TiffFile(file, **off)


def _check_complete(tiff: tifffile.TiffFile, name: str) -> None:
    """Raise InvalidImage if the file lacks pixels, by the addresses in its header and without decoding."""
    # An interrupted copy has a good header but lacks pixels, and the user should know before the screen starts.
    size = tiff.filehandle.size
    for number, page in enumerate(tiff.pages):
        ends = [o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if not ends or max(ends) > size:
            raise InvalidImage(f"{name} is truncated: {size} bytes of at least {max(ends, default=size + 1)}")
        # A library would return black where a strip is missing or empty.
        strips = math.prod(page.aspage().chunked)
        if min(page.databytecounts) < 1 or len(ends) < strips:
            raise InvalidImage(f"page {number + 1} of {name} lacks a part of its pixels; export the image again")
