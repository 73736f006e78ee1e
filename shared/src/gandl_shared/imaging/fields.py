"""From image files to the uint8 tiles that a model sees. The one path for training, screens and `/embed`.

read (TIFF, OME-TIFF, PNG; 8 and 16 bit) → average over blocks of `downscale` pixels → map each channel's limits to
0..255 → cut a centred grid of tiles. The mapped dtype is uint8 everywhere, so the same image under the same limits is
the same vector on every path.

An image is read from its own bytes: nothing in it makes another file be opened.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gandl_shared.errors import InvalidImage, NotFound, TooLarge, UnsupportedType
from gandl_shared.imaging.tiff_stack import Stack, open_tiff, stack_of
from gandl_shared.models import ModelCard
from gandl_shared.regular_files import open_regular

MAX_PIXELS = 2**28
"""Most pixels (channels × height × width) of one image; more is refused before it is decoded."""

LOW_PERCENTILE, HIGH_PERCENTILE = 0.1, 99.9
_PNG_MODES = {"L": np.uint8, "P": np.uint8, "I;16": np.uint16, "I": np.int32}
_READ = "read are TIFF (one page a channel) and PNG, 8 or 16 bit grey"

Uint8 = NDArray[np.uint8]
Raw = NDArray[Any]  # uint8, uint16 or float32: whatever the camera wrote


@dataclass(frozen=True)
class Limits:
    """Raw intensities that become 0 and 255, per channel."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, card: ModelCard) -> Limits:
        """The limits of the model's own training data."""
        return cls(tuple(c.low for c in card.channels), tuple(c.high for c in card.channels))


@dataclass(frozen=True)
class Preprocessing:
    """What stands between a raw field and the model. `key` names it in the identity of a vector."""

    limits: Limits
    size: int
    downscale: int

    @property
    def key(self) -> str:
        """SHA-256 of the canonical JSON of all values."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Header:
    """What a file says of itself without its pixels being decoded."""

    channels: int
    height: int
    width: int
    dtype: str


def read_header(path: Path) -> Header:
    """Shape and type of an image file, checking that its pixel data is all there. Raises InvalidImage, NotFound."""
    with _opened(path) as file:
        if _is_tiff(file):
            return _tiff_header(file, path.name)
        return _png_header(file, path.name)


def read_image(path: Path) -> Raw:
    """Decode one file to [C, H, W]. Raises InvalidImage, NotFound, UnsupportedType, TooLarge, naming the file."""
    with _opened(path) as file:
        return decode(file, path.name)


def decode(source: BinaryIO | bytes, name: str) -> Raw:
    """`read_image` for an open file or bytes already here; `name` is used in messages only."""
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    image = _decode_tiff(file, name) if _is_tiff(file) else _decode_png(file, name)
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InvalidImage(f"{name} holds NaN or infinite pixels")
    return image


def read_site(files: Sequence[Path]) -> Raw:
    """One field of view [C, H, W] from one multi-channel file or one file a channel, in channel order."""
    return stack([read_image(path) for path in files], [path.name for path in files])


def stack(images: Sequence[Raw], names: Sequence[str]) -> Raw:
    """Join channel images to [C, H, W]. Raises InvalidImage where one differs in size or type."""
    if len(images) == 1:
        return images[0]
    for image, name in zip(images, names, strict=True):
        if image.shape[0] != 1:
            raise InvalidImage(f"{name} has {image.shape[0]} channels where one file a channel was expected")
        if image.shape != images[0].shape or image.dtype != images[0].dtype:
            detail = f"{name} is {_form(image)} but {names[0]} of the same site is {_form(images[0])}"
            raise InvalidImage(detail)
    return np.concatenate(images)


def downscaled(image: Raw, factor: int) -> NDArray[np.float32]:
    """Means over blocks of factor × factor pixels, [C, H, W] → [C, H // factor, W // factor]; the rest is cut off."""
    c, h, w = image.shape
    if factor == 1:
        return image.astype(np.float32)
    cut = image[:, : h // factor * factor, : w // factor * factor]
    blocks = cut.reshape(c, h // factor, factor, w // factor, factor)
    means: NDArray[np.float32] = blocks.mean(axis=(2, 4), dtype=np.float32)
    return means


def to_uint8(image: NDArray[np.float32], limits: Limits) -> Uint8:
    """Map [low, high] of each channel of [C, H, W] to 0..255, rounded and clipped."""
    if len(limits.low) != image.shape[0]:
        raise InvalidImage(f"the image has {image.shape[0]} channels, the model takes {len(limits.low)}")
    low = np.asarray(limits.low, np.float32)[:, None, None]
    high = np.asarray(limits.high, np.float32)[:, None, None]
    scaled = (image - low) * (np.float32(255) / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def prepare_field(image: Raw, preprocessing: Preprocessing) -> Uint8:
    """The whole field as the model would see it: downscaled and mapped, [C, H', W'] uint8."""
    return to_uint8(downscaled(image, preprocessing.downscale), preprocessing.limits)


def tile_origins(height: int, width: int, size: int) -> list[tuple[int, int]]:
    """Upper left corners of the centred grid of size × size tiles that fit, row by row."""
    top, left = height % size // 2, width % size // 2
    return [(top + y * size, left + x * size) for y in range(height // size) for x in range(width // size)]


def prepare(image: Raw, preprocessing: Preprocessing) -> Uint8:
    """Tiles [N, C, size, size] of a raw field [C, H, W]. Raises InvalidImage where not even one tile fits."""
    return cut_tiles(prepare_field(image, preprocessing), preprocessing)


def cut_tiles(field: Uint8, preprocessing: Preprocessing) -> Uint8:
    """Tiles of a field that is mapped already, as `prepare` gives them. Raises InvalidImage."""
    size, factor = preprocessing.size, preprocessing.downscale
    origins = tile_origins(field.shape[1], field.shape[2], size)
    if not origins:
        height, width, need = field.shape[1] * factor, field.shape[2] * factor, size * factor
        raise InvalidImage(f"the image is {height}×{width}; the model needs at least {need}×{need}")
    return np.stack([field[:, y : y + size, x : x + size] for y, x in origins])


def sampled_limits(sites: Sequence[Sequence[Path]], *, downscale: int, most: int = 32) -> Limits:
    """Per-channel percentiles (0.1 and 99.9) over up to `most` sites spread evenly over `sites` (one plate's).

    A channel without contrast gets a width of one grey level, so that nothing is divided by zero. Raises InvalidImage
    where the sites differ in channels or bit depth: the limits of one depth turn the images of another black or white.
    """
    if not sites:
        raise InvalidImage("no images to take intensity limits from")
    chosen = [sites[i] for i in sorted({int(i) for i in np.linspace(0, len(sites) - 1, min(most, len(sites)))})]
    fields: list[NDArray[np.float32]] = []
    first = ""
    for files in chosen:
        image = read_site(files)
        first = first or str(image.dtype)
        check_depth(files[0].name, str(image.dtype), chosen[0][0].name, first)
        fields.append(downscaled(image, downscale))
    channels = {field.shape[0] for field in fields}
    if len(channels) > 1:
        raise InvalidImage(f"the sites of a plate have different numbers of channels: {sorted(channels)}")
    pixels = np.concatenate([field.reshape(field.shape[0], -1) for field in fields], axis=1)
    low, high = np.percentile(pixels, [LOW_PERCENTILE, HIGH_PERCENTILE], axis=1)
    return Limits(tuple(map(float, low)), tuple(float(h) for h in np.maximum(high, low + 1)))


def check_depth(name: str, depth: str, other: str, other_depth: str) -> None:
    """Raises InvalidImage where two files of a plate differ in the type of their pixels."""
    if depth != other_depth:
        detail = f"{name} is {depth} but {other} of the same plate is {other_depth}"
        raise InvalidImage(f"{detail}; give images of one bit depth a plate")


def _opened(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except FileNotFoundError as error:
        raise NotFound(f"image {path.name} is not there") from error
    except OSError as error:
        raise InvalidImage(f"image {path.name} cannot be opened: {error.strerror}") from error


def _is_tiff(file: BinaryIO) -> bool:
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
    return Header(*shape, dtype)


def _check_complete(tiff: tifffile.TiffFile, name: str) -> None:
    """A cut-off file is found here, from the addresses in its header, without decoding it."""
    size = tiff.filehandle.size
    for page in tiff.pages:
        ends = [o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if not ends or max(ends) > size:
            raise InvalidImage(f"{name} is truncated: {size} bytes of at least {max(ends, default=size + 1)}")


def _plane_shape(planes: Stack, name: str) -> tuple[tuple[int, int, int], str]:
    shape, axes, dtype = planes.shape, planes.axes, planes.dtype
    if dtype not in ("uint8", "uint16", "float32"):
        raise UnsupportedType(f"{name} has pixels of type {dtype}; read are uint8, uint16 and float32")
    if axes.endswith("S"):
        raise UnsupportedType(f"{name} is a colour image; give one grey plane a channel")
    if axes[-2:] != "YX" or len(axes) > 3 or axes[:1] in ("Z", "T"):
        raise UnsupportedType(f"{name} has axes {axes} {shape}; {_READ}")
    channels, height, width = (1, *shape) if len(shape) == 2 else shape
    if channels * height * width > MAX_PIXELS:
        raise TooLarge(f"{name} has {channels}×{height}×{width} pixels; at most {MAX_PIXELS} are read")
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
    except Exception as error:  # a codec may raise anything on a damaged stream: name the file, keep the cause
        raise InvalidImage(f"{name} cannot be decoded: {error}") from error
    return np.ascontiguousarray(image).reshape(shape)


def _png_header(file: BinaryIO, name: str) -> Header:
    with _png(file, name) as image:
        return Header(1, image.height, image.width, np.dtype(_PNG_MODES[image.mode]).name)


def _decode_png(file: BinaryIO, name: str) -> Raw:
    with _png(file, name) as image:
        try:
            pixels = np.asarray(image)
        except (OSError, SyntaxError, ValueError) as error:
            raise InvalidImage(f"{name} cannot be decoded: {error}") from error
    return pixels.astype(np.uint16 if pixels.dtype.itemsize > 1 else np.uint8)[None]


def _png(file: BinaryIO, name: str) -> Image.Image:
    try:
        image = Image.open(file, formats=["PNG"])
    except (UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidImage(f"{name} is not an image gandl reads; {_READ}") from error
    if image.width * image.height > MAX_PIXELS:
        raise TooLarge(f"{name} has {image.width}×{image.height} pixels; at most {MAX_PIXELS} are read")
    if image.mode not in _PNG_MODES:
        raise UnsupportedType(f"{name} is a PNG of mode {image.mode}; {_READ}")
    return image


def _form(image: Raw) -> str:
    return f"{image.shape[1]}×{image.shape[2]} {image.dtype}"
