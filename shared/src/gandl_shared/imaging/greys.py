"""Stored numbers of a page to greys: colour tables are applied, and white as zero is turned round.

A number of such a page is no intensity: it is the place of a colour in a table, or a distance from white. It is turned
into the grey that it means, or the file is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from gandl_shared.errors import UnsupportedType

Raw = NDArray[Any]  # uint8, uint16 or float32: the type that the camera wrote

_STEP = 257  # 255 · 257 = 65535: the distance of neighbouring greys of 8 bit in a table of 16 bit
_REMEDY = "save the file as a grey image of the counts"


@dataclass(frozen=True, kw_only=True)
class Greys:
    """How the numbers of a page become greys, and the type of these. `code` is equal for pages of one kind."""

    dtype: str
    code: bytes
    convert: Callable[[Raw], Raw]


def greys_of_page(page: tifffile.TiffPage, name: str) -> Greys:
    """Return how the numbers of a page become greys.

    Raises UnsupportedType where that is not certain: a table of several colours, or white as zero in an image of floats
    or of ImageJ.
    """
    dtype = str(page.dtype)
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        return _of_table(page.colormap, name)
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        return _turned(page, dtype, name)
    return Greys(dtype=dtype, code=dtype.encode(), convert=lambda numbers: numbers)


def greys_of_palette(colours: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """Return the grey of each entry of a palette [N, 3] of 8 bit. Raises UnsupportedType for several hues."""
    return grey_table(colours.T.astype(np.uint16) * _STEP, name).astype(np.uint8)


def grey_table(colours: NDArray[np.uint16], name: str) -> Raw:
    """Return the grey of each entry of a table [3, N] of 16 bit: uint8 where its values are greys of 8 bit.

    All colours must be shades of one hue from black; grey is one. The grey is the strongest of red, green and blue. A
    table that rises evenly over its entries only colours the counts, which are returned unchanged. Raises
    UnsupportedType for a table of several hues, whose order from dark to bright is a matter of taste.
    """
    values: NDArray[np.int64] = colours.astype(np.int64)
    brightest = values[:, values.max(axis=0).argmax()]
    strongest: NDArray[np.int64] = values.max(axis=0)
    expected = np.rint(brightest[:, None] * (strongest / max(int(brightest.max()), 1)))
    # Tables are rounded to 8 bit, so a shade may be one step of 8 bit away from its hue.
    if np.abs(values - expected).max(initial=0) > _STEP:
        raise UnsupportedType(f"{name} is drawn with a colour table of several hues; {_REMEDY}")
    places: NDArray[np.int64] = np.arange(values.shape[1])
    # A dim hue is rounded at its top too, so a shade of it may be a whole step away.
    tolerance = _STEP / 2 if brightest.max() >= 255 * 256 else _STEP
    if places.size == 256 and np.abs(strongest - places * (brightest.max() / 255)).max() <= tolerance:
        return places.astype(np.uint8)
    # Some programs write a grey of 8 bit as 257 times, others as 256 times its value.
    for step in (_STEP, 256):
        if not (values % step).any():
            return (strongest // step).astype(np.uint8)
    return strongest.astype(np.uint16)


def _of_table(colours: NDArray[np.uint16], name: str) -> Greys:
    table = grey_table(colours, name)
    return Greys(dtype=str(table.dtype), code=table.tobytes(), convert=lambda numbers: table[numbers])


def _turned(page: tifffile.TiffPage, dtype: str, name: str) -> Greys:
    """Return the turning of white as zero: the largest number of the page's bits minus the number."""
    if page.dtype is None or page.dtype.kind != "u":
        raise UnsupportedType(f"{name} says that white is zero, and an image of {dtype} states no black; {_REMEDY}")
    # ImageJ marks an image like this where a user inverts its display, and then the numbers are counts.
    if page.is_imagej:
        raise UnsupportedType(f"{name} was saved by ImageJ with an inverted lookup table; remove it (Invert LUT), save")
    largest = page.dtype.type(2**page.bitspersample - 1)
    return Greys(dtype=dtype, code=b"turned " + dtype.encode(), convert=lambda numbers: largest - numbers)
