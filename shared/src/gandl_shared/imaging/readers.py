"""Images to raw arrays: TIFF, OME-TIFF, PNG and planes of OME-Zarr; grey; 8 and 16 bit, and float32.

An image is read from its own bytes: nothing in it makes another file be opened. A path may be a reference to one image
of a file, such as `A01.ome.tif#image=2`, or to a plane of an OME-Zarr (`gandl_shared.files.references`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gandl_shared.errors import InvalidImage, NotFound, TooLarge, UnsupportedType
from gandl_shared.files.objects import is_object, open_file
from gandl_shared.files.outages import outage
from gandl_shared.files.references import ImageReference, parse_reference
from gandl_shared.imaging.greys import Raw, greys_of_palette
from gandl_shared.imaging.ome_zarr import is_plane, read_plane, read_plane_header
from gandl_shared.imaging.planes import reduce_planes
from gandl_shared.imaging.safety.damage import damage_named
from gandl_shared.imaging.safety.png_chunks import check_chunks
from gandl_shared.imaging.tiff import MAX_PAGES, Stack, images_of, reading_tiff
from gandl_shared.schemas.choice import Reduction

MAX_PIXELS = 2**28
"""The largest number of pixels (channels × height × width) of a field of view; a larger one is refused before decoding.
Where each channel has a file of its own, each file may have its share of them."""

_PNG_MODES = {"L": np.uint8, "P": np.uint8, "I;16": np.uint16, "I": np.int32}
_READABLE = "gandl reads TIFF (one page per channel) and PNG, 8 or 16 bit grey"
_TYPES = ("uint8", "uint16", "float32")

SiteFiles = Sequence[Path | Sequence[Path]]
"""The files of a field of view: one for each channel or one for all; several of a channel are its focal planes."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """Shape and pixel type of a file, which are read without decoding its pixels.

    `names` are what the file calls its channels, one for each, or none.
    """

    channels: int
    height: int
    width: int
    dtype: str
    names: tuple[str, ...] = field(default=(), compare=False)


def read_header(path: Path) -> Header:
    """Return shape and pixel type of an image, after a check that its file is complete.

    Raises InvalidImage (also for a file of several images, where the path names none of them), NotFound.
    """
    reference = parse_reference(path.name)
    if is_plane(reference):
        plane = read_plane_header(path)
        _check_size(reference.file, 1, plane.height, plane.width)
        return Header(channels=1, height=plane.height, width=plane.width, dtype=plane.dtype)
    with _open(path.parent / reference.file) as file:
        return _tiff_header(file, reference) if _is_tiff(file) else _png_header(file, _only_image(reference))


def count_images(path: Path) -> int:
    """Return the number of images (fields of view) in a file. Raises as `read_header` does."""
    if is_plane(parse_reference(path.name)):
        return 1
    with _open(path) as file:
        if not _is_tiff(file):
            return 1
        with reading_tiff(file, path.name) as tiff:
            return len(images_of(tiff, path.name))


@dataclass(frozen=True, kw_only=True)
class FileImage:
    """One image (field of view) of an open file: its header, and `read`, which decodes it to [C, H, W]."""

    header: Header
    read: Callable[[], Raw]


@contextmanager
def open_images(file: BinaryIO, name: str, max_pages: int = MAX_PAGES) -> Iterator[Sequence[FileImage]]:
    """Give all images of an open TIFF or PNG, whose pages and head are read once. `read` works inside the block only.

    Raises as `read_image` does, and TooLarge for a TIFF of more than `max_pages` pages.
    """
    if _is_tiff(file):
        with reading_tiff(file, name, max_pages) as tiff:
            yield tuple(_image_of_stack(planes, name) for planes in images_of(tiff, name))
    else:
        with _png(file, name) as image:
            yield (FileImage(header=_header_of_png(image, name), read=lambda: _pixels_of_png(image, name)),)


def read_image(path: Path, max_pixels: int = MAX_PIXELS) -> Raw:
    """Decode an image of at most `max_pixels` to [C, H, W].

    Raises InvalidImage, NotFound, UnsupportedType or TooLarge, which name the file.
    """
    reference = parse_reference(path.name)
    if is_plane(reference):
        return decode(read_content(path), path.name, max_pixels)
    with _open(path.parent / reference.file) as file:
        return decode(file, path.name, max_pixels)


def read_content(path: Path) -> bytes:
    """Return the bytes from which `decode` makes an image: those of its file, or of a plane of OME-Zarr as `.npy`.

    Raises as `read_image` does, and Outage if the storage of the file is away.
    """
    reference = parse_reference(path.name)
    if is_plane(reference):
        read_header(path)  # it refuses a plane that would fill the memory
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, read_plane(path), version=(1, 0), allow_pickle=False)
        return buffer.getvalue()
    try:
        with _open(path.parent / reference.file) as file:
            return file.read()
    except OSError as error:
        raise outage(error, path.parent / reference.file) or InvalidImage(
            f"image {path.name} cannot be read: {error.strerror}"
        ) from error


def decode(source: BinaryIO | bytes, name: str, max_pixels: int = MAX_PIXELS) -> Raw:
    """Decode an open file or bytes as `read_image` does. Of `name`, only the image that it refers to has a meaning."""
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    reference = parse_reference(name)
    if is_plane(reference):
        image: Raw = np.lib.format.read_array(file, allow_pickle=False)[None]
        _check_size(name, *image.shape, max_pixels=max_pixels)
    elif _is_tiff(file):
        image = _decode_tiff(file, reference, max_pixels)
    else:
        image = _decode_png(file, _only_image(reference), max_pixels)
    return _finite(image, name)


def _finite(image: Raw, name: str) -> Raw:
    """Return an image without NaN, one of which would make the intensity limits of the whole plate NaN."""
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InvalidImage(f"{name} holds NaN or infinite pixels")
    return image


def read_site(files: SiteFiles, reduction: Reduction = Reduction.NONE) -> Raw:
    """Read a field of view [C, H, W] from one multi-channel file or from one file per channel, in channel order.

    Several files of a channel are focal planes, which `reduction` makes one image.
    """
    stacks = [[planes] if isinstance(planes, Path) else planes for planes in files]
    share = MAX_PIXELS // max(len(stacks), 1)
    images = [reduce_planes(((path.name, read_image(path, share)) for path in paths), reduction) for paths in stacks]
    return stack(images, [paths[0].name for paths in stacks])


def first_name(files: SiteFiles) -> str:
    """Return the name of the first file of a field of view, by which messages name the field."""
    return files[0].name if isinstance(files[0], Path) else files[0][0].name


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
        return open_file(path)
    except FileNotFoundError as error:
        away = None if is_object(path) else outage(error, path)
        raise away or NotFound(f"image {path.name} is not there") from error
    except OSError as error:
        raise outage(error, path) or InvalidImage(f"image {path.name} cannot be opened: {error.strerror}") from error


def _is_tiff(file: BinaryIO) -> bool:
    # The first bytes decide, because the suffix of a name may be wrong. The forms with + are BigTIFF.
    magic = file.read(4)
    file.seek(0)
    return magic[:2] in (b"II", b"MM") and magic[2:] in (b"*\0", b"\0*", b"+\0", b"\0+")


def _image_of_stack(planes: Stack, name: str) -> FileImage:
    (channels, height, width), dtype = _plane_shape(planes, name)
    names = planes.names if len(planes.names) == channels else ()

    def read() -> Raw:
        return _finite(np.ascontiguousarray(planes.read()).reshape(channels, height, width), name)

    return FileImage(header=Header(channels=channels, height=height, width=width, dtype=dtype, names=names), read=read)


def _tiff_header(file: BinaryIO, reference: ImageReference) -> Header:
    with reading_tiff(file, reference.file) as tiff:
        return _image_of_stack(_image_of(tiff, reference), reference.file).header


def _image_of(tiff: tifffile.TiffFile, reference: ImageReference) -> Stack:
    """Return the image that is meant. Raises InvalidImage if there is no such image, or several and none is named."""
    images = images_of(tiff, reference.file)
    number = reference.parts.get("image", "")
    if set(reference.parts) - {"image"} or (reference.parts and not number.isdecimal()):
        raise InvalidImage(f"'{reference}' names no image of {reference.file}; write {reference.file}#image=1")
    if not number and len(images) > 1:
        remedy = f"give one file per image, or name one as {reference.file}#image=1"
        raise InvalidImage(f"{reference.file} holds {len(images)} images (fields of view); {remedy}")
    if number and not 1 <= int(number) <= len(images):
        raise InvalidImage(f"{reference.file} holds {len(images)} images and no image {number}")
    return images[int(number or 1) - 1]


def _only_image(reference: ImageReference) -> str:
    """Return the name of a file that can hold only one image. Raises InvalidImage if another one is meant."""
    if reference.parts not in ({}, {"image": "1"}):
        raise InvalidImage(f"{reference.file} is no TIFF, so it holds one image and not '{reference}'")
    return reference.file


def _plane_shape(planes: Stack, name: str) -> tuple[tuple[int, int, int], str]:
    shape, axes, dtype = planes.shape, planes.axes, planes.dtype
    if dtype not in _TYPES:
        raise UnsupportedType(f"{name} has pixels of type {dtype}; gandl reads {', '.join(_TYPES)}")
    if axes.endswith("S"):
        raise UnsupportedType(f"{name} is a colour image; give one grey plane per channel")
    # Which depth or time point to use is a scientific choice, so gandl does not make it for the user.
    if axes[-2:] != "YX" or len(axes) > 3 or axes[:1] in ("Z", "T"):
        raise UnsupportedType(f"{name} has axes {axes} {shape}; {_READABLE}")
    channels, height, width = (1, *shape) if len(shape) == 2 else shape
    _check_size(name, channels, height, width)
    return (channels, height, width), dtype


def _check_size(name: str, channels: int, height: int, width: int, *, max_pixels: int | None = None) -> None:
    # A small compressed file can become larger than the memory, so its size is checked before decoding.
    most = MAX_PIXELS if max_pixels is None else min(max_pixels, MAX_PIXELS)
    if channels * height * width > most:
        raise TooLarge(f"{name} has {channels}×{height}×{width} pixels; gandl reads at most {most} here")


def _decode_tiff(file: BinaryIO, reference: ImageReference, max_pixels: int) -> Raw:
    with reading_tiff(file, reference.file) as tiff:
        image = _image_of_stack(_image_of(tiff, reference), reference.file)
        header = image.header
        _check_size(reference.file, header.channels, header.height, header.width, max_pixels=max_pixels)
        return image.read()


def _png_header(file: BinaryIO, name: str) -> Header:
    with _png(file, name) as image:
        return _header_of_png(image, name)


def _header_of_png(image: Image.Image, name: str) -> Header:
    _palette(image, name)
    dtype = np.dtype(_PNG_MODES[image.mode]).name
    return Header(channels=1, height=image.height, width=image.width, dtype=dtype)


def _decode_png(file: BinaryIO, name: str, max_pixels: int) -> Raw:
    with _png(file, name) as image:
        _check_size(name, 1, image.height, image.width, max_pixels=max_pixels)
        return _pixels_of_png(image, name)


def _pixels_of_png(image: Image.Image, name: str) -> Raw:
    pixels = np.asarray(image)
    table = _palette(image, name)
    if table is not None:
        if pixels.max() >= len(table):
            raise InvalidImage(f"{name} uses colour {pixels.max()} of a palette of {len(table)}; save it again")
        pixels = table[pixels]
    # Pillow returns some images of 16 bit as int32, which would look like another bit depth.
    return pixels.astype(np.uint16 if pixels.dtype.itemsize > 1 else np.uint8)[None]


def _palette(image: Image.Image, name: str) -> NDArray[np.uint8] | None:
    """Return the grey of each entry of the palette, or None if the image has no palette."""
    if image.mode != "P":
        return None
    return greys_of_palette(np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3), name)


@contextmanager
def _png(file: BinaryIO, name: str) -> Iterator[Image.Image]:
    """Open a PNG. What Pillow raises in the block becomes InvalidImage or TooLarge."""
    with damage_named(name), _opened_png(file, name) as image:
        _check_size(name, 1, image.height, image.width)
        if image.mode not in _PNG_MODES:
            raise UnsupportedType(f"{name} is a PNG of mode {image.mode}; {_READABLE}")
        yield image


def _opened_png(file: BinaryIO, name: str) -> Image.Image:
    check_chunks(file, name)
    try:
        # Each further format would be one more decoder that a damaged or hostile file could reach.
        return Image.open(file, formats=["PNG"])
    except (UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidImage(f"{name} is not an image gandl reads; {_READABLE}") from error


def _size_and_type(image: Raw) -> str:
    return f"{image.shape[1]}×{image.shape[2]} {image.dtype}"
