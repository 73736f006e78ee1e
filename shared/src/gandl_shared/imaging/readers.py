"""Image files to raw arrays: TIFF, OME-TIFF and PNG; grey; 8 and 16 bit, and float32 TIFF.

An image is read from its own bytes: nothing in it makes another file be opened.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gandl_shared.errors import InvalidImage, NotFound, TooLarge, UnsupportedType
from gandl_shared.files.regular import open_regular
from gandl_shared.imaging.tiff_stack import Stack, open_tiff, stack_of

MAX_PIXELS = 2**28
"""The largest number of pixels (channels × height × width) of an image; a larger one is refused before decoding."""

_PNG_MODES = {"L": np.uint8, "P": np.uint8, "I;16": np.uint16, "I": np.int32}
_READABLE = "gandl reads TIFF (one page per channel) and PNG, 8 or 16 bit grey"

Raw = NDArray[Any]  # uint8, uint16 or float32: the type that the camera wrote


@dataclass(frozen=True, kw_only=True)
class Header:
    """Shape and pixel type of a file, which are read without decoding its pixels."""

    channels: int
    height: int
    width: int
    dtype: str


def read_header(path: Path) -> Header:
    """Return shape and pixel type of a file, after a check that it is complete. Raises InvalidImage, NotFound."""
    with _open(path) as file:
        if _is_tiff(file):
            return _tiff_header(file, path.name)
        return _png_header(file, path.name)


def read_image(path: Path) -> Raw:
    """Decode a file to [C, H, W]. Raises InvalidImage, NotFound, UnsupportedType or TooLarge, which name the file."""
    with _open(path) as file:
        return decode(file, path.name)


def decode(source: BinaryIO | bytes, name: str) -> Raw:
    """Decode an open file or bytes as `read_image` does; `name` is only for messages."""
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    image = _decode_tiff(file, name) if _is_tiff(file) else _decode_png(file, name)
    # One NaN would make the intensity limits of the whole plate NaN.
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InvalidImage(f"{name} holds NaN or infinite pixels")
    return image


def read_site(files: Sequence[Path]) -> Raw:
    """Read a field of view [C, H, W] from one multi-channel file or from one file per channel, in channel order."""
    return stack([read_image(path) for path in files], [path.name for path in files])


def stack(images: Sequence[Raw], names: Sequence[str]) -> Raw:
    """Join images of channels to [C, H, W]. Raises InvalidImage if one differs in size or type."""
    if len(images) == 1:
        return images[0]
    for image, name in zip(images, names, strict=True):
        if image.shape[0] != 1:
            raise InvalidImage(
                f"{name} has {image.shape[0]} channels; give one file per channel, or one file with all channels"
            )
        if image.shape != images[0].shape or image.dtype != images[0].dtype:
            detail = f"{name} is {_size_and_type(image)} but {names[0]} of the same site is {_size_and_type(images[0])}"
            raise InvalidImage(detail)
    return np.concatenate(images)


def _open(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except FileNotFoundError as error:
        raise NotFound(f"image {path.name} is not there") from error
    except OSError as error:
        raise InvalidImage(f"image {path.name} cannot be opened: {error.strerror}") from error


def _is_tiff(file: BinaryIO) -> bool:
    # The first bytes decide, because the suffix of a name may be wrong. The forms with + are BigTIFF.
    magic = file.read(4)
    file.seek(0)
    return magic[:2] in (b"II", b"MM") and magic[2:] in (b"*\0", b"\0*", b"+\0", b"\0+")


def _tiff_header(file: BinaryIO, name: str) -> Header:
    try:
        with open_tiff(file) as tiff:
            _check_complete(tiff, name)
            shape, dtype = _plane_shape(stack_of(tiff, name), name)
    except (tifffile.TiffFileError, ValueError, IndexError, KeyError, TypeError) as error:
        raise InvalidImage(f"{name} is not a readable TIFF: {error}") from error
    channels, height, width = shape
    return Header(channels=channels, height=height, width=width, dtype=dtype)


def _check_complete(tiff: tifffile.TiffFile, name: str) -> None:
    """Raise InvalidImage if the file ends before its pixels do, by the addresses in its header and without decoding."""
    # An interrupted copy has a good header but lacks pixels, and the user should know before the screen starts.
    size = tiff.filehandle.size
    for page in tiff.pages:
        ends = [o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if not ends or max(ends) > size:
            raise InvalidImage(f"{name} is truncated: {size} bytes of at least {max(ends, default=size + 1)}")


def _plane_shape(planes: Stack, name: str) -> tuple[tuple[int, int, int], str]:
    shape, axes, dtype = planes.shape, planes.axes, planes.dtype
    if dtype not in ("uint8", "uint16", "float32"):
        raise UnsupportedType(f"{name} has pixels of type {dtype}; gandl reads uint8, uint16 and float32")
    if axes.endswith("S"):
        raise UnsupportedType(f"{name} is a colour image; give one grey plane per channel")
    # Which depth or time point to use is a scientific choice, so gandl does not make it for the user.
    if axes[-2:] != "YX" or len(axes) > 3 or axes[:1] in ("Z", "T"):
        raise UnsupportedType(f"{name} has axes {axes} {shape}; {_READABLE}")
    channels, height, width = (1, *shape) if len(shape) == 2 else shape
    # A small compressed file can become larger than the memory, so its size is checked before decoding.
    if channels * height * width > MAX_PIXELS:
        raise TooLarge(f"{name} has {channels}×{height}×{width} pixels; gandl reads at most {MAX_PIXELS}")
    return (channels, height, width), dtype


def _decode_tiff(file: BinaryIO, name: str) -> Raw:
    try:
        with open_tiff(file) as tiff:
            _check_complete(tiff, name)
            planes = stack_of(tiff, name)
            shape, _ = _plane_shape(planes, name)
            image: Raw = planes.read()
    except (InvalidImage, UnsupportedType, TooLarge):
        raise
    except Exception as error:  # a codec may raise any error on damaged pixels; the message needs the file
        raise InvalidImage(f"{name} cannot be decoded: {error}") from error
    return np.ascontiguousarray(image).reshape(shape)


def _png_header(file: BinaryIO, name: str) -> Header:
    with _png(file, name) as image:
        dtype = np.dtype(_PNG_MODES[image.mode]).name
        return Header(channels=1, height=image.height, width=image.width, dtype=dtype)


def _decode_png(file: BinaryIO, name: str) -> Raw:
    with _png(file, name) as image:
        try:
            pixels = np.asarray(image)
        except (OSError, SyntaxError, ValueError) as error:
            raise InvalidImage(f"{name} cannot be decoded: {error}") from error
    # Pillow returns some images of 16 bit as int32, which would look like another bit depth.
    return pixels.astype(np.uint16 if pixels.dtype.itemsize > 1 else np.uint8)[None]


def _png(file: BinaryIO, name: str) -> Image.Image:
    try:
        # Each further format would be one more decoder that a damaged or hostile file could reach.
        image = Image.open(file, formats=["PNG"])
    except (UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidImage(f"{name} is not an image gandl reads; {_READABLE}") from error
    if image.width * image.height > MAX_PIXELS:
        raise TooLarge(f"{name} has {image.width}×{image.height} pixels; gandl reads at most {MAX_PIXELS}")
    if image.mode not in _PNG_MODES:
        raise UnsupportedType(f"{name} is a PNG of mode {image.mode}; {_READABLE}")
    return image


def _size_and_type(image: Raw) -> str:
    return f"{image.shape[1]}×{image.shape[2]} {image.dtype}"
