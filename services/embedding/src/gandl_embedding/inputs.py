"""Make tiles of the images of a request: of uploaded files, or of a `.npy` array.

All images go through `gandl_shared.imaging`, as in a screen, so that the same image under the same limits has the same
vector on every path.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from gandl_shared.errors import Invalid, InvalidImage, TooLarge
from gandl_shared.files.references import image_name
from gandl_shared.imaging import (
    IntensityLimits,
    IntensityTally,
    Preprocessing,
    count_images,
    cut_tiles,
    downscaled,
    misfit,
    read_header,
    read_image,
    stack,
    to_uint8,
)
from gandl_shared.models import ModelCard
from gandl_shared.schemas.limits import PlateIntensities
from numpy.typing import NDArray

Raw = NDArray[Any]  # uint8, uint16 or float32
Uint8 = NDArray[np.uint8]

IMAGE, CHANNEL = "image", "channel"
"""Form fields: one multi-channel image per part, or one channel per part in the order of the model's channels."""

_RAW_TYPES = ("uint8", "uint16", "float32")
_COPY_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file of a multipart request."""

    field: str
    filename: str
    file: BinaryIO


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """The maximum of pixels (channels × height × width) of one image, and of tiles of one request.

    `allow_clipping` accepts images that the limits of the model card do not fit.
    """

    max_pixels: int
    max_tiles: int
    allow_clipping: bool = False


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """The tiles of a request [N, C, size, size], image by image.

    `names` and `counts` have one entry per image. `limits` and `intensities`, how the pixels lie in them, are None if
    the tiles came ready-made.
    """

    tiles: Uint8
    names: tuple[str, ...]
    counts: tuple[int, ...]
    limits: IntensityLimits | None
    intensities: PlateIntensities | None = None


def explicit_limits(low: Sequence[float], high: Sequence[float], card: ModelCard) -> IntensityLimits | None:
    """Return the limits of a request, None if it has none. Raises Invalid if they do not fit the model."""
    if not low and not high:
        return None
    channels = len(card.channels)
    if len(low) != channels or len(high) != channels:
        raise Invalid(
            f"{card.name} has {channels} channels; the request has {len(low)} low and {len(high)} high limits"
        )
    for bottom, top, channel in zip(low, high, card.channels, strict=True):
        # Fields are mapped in float32, so a range that vanishes or overflows there would give NaN.
        with np.errstate(all="ignore"):
            width = np.float32(top) - np.float32(bottom)
            usable = width > 0 and np.isfinite(width) and np.isfinite(np.float32(255) / width)
        if not usable:
            raise Invalid(f"the limits of channel {channel.name}, {bottom:g} to {top:g}, leave no range in float32")
    return IntensityLimits(low=tuple(low), high=tuple(high))


def tiles_of_array(array: Raw, card: ModelCard, limits: IntensityLimits | None, request_limits: RequestLimits) -> Tiles:
    """Return the tiles of a `.npy` body [N, C, H, W].

    An array of uint8 of exactly the model's tile size and without explicit limits holds tiles that are ready. Every
    other array holds raw fields. Raises Invalid if type or shape do not fit the model, TooLarge.
    """
    channels, size = len(card.channels), card.size
    if str(array.dtype) not in _RAW_TYPES or array.ndim != 4 or array.shape[1] != channels:
        raise Invalid(
            f"{card.name} takes [N, {channels}, H, W] of {', '.join(_RAW_TYPES)}; "
            f"the array is {array.dtype} {list(array.shape)}"
        )
    if array.dtype == np.uint8 and array.shape[2:] == (size, size) and limits is None:
        _check_tiles(len(array), request_limits)
        return Tiles(tiles=array, names=_numbered(len(array)), counts=(1,) * len(array), limits=None)
    # The first image stands for all of them, which have one shape.
    if array[:1].size > request_limits.max_pixels:
        raise TooLarge(f"each image has {array[:1].size} pixels; at most {request_limits.max_pixels} are allowed")
    return _prepared(((f"[{i}]", field) for i, field in enumerate(array)), card, limits, request_limits)


def tiles_of_uploads(
    uploads: Sequence[Upload], card: ModelCard, limits: IntensityLimits | None, request_limits: RequestLimits
) -> Tiles:
    """Return the tiles of uploaded image files; each image (field of view) of a file is an image of the answer.

    Raises Invalid, InvalidImage, UnsupportedType, TooLarge, naming the file.
    """
    fields = {upload.field for upload in uploads}
    if not fields or not fields <= {IMAGE, CHANNEL}:
        others = ", ".join(sorted(fields - {IMAGE, CHANNEL})) or "none"
        raise Invalid(f"send files in the form fields '{IMAGE}' or '{CHANNEL}'; other fields were: {others}")
    if len(fields) > 1:
        raise Invalid(f"send either '{IMAGE}' (whole images) or '{CHANNEL}' (one file per channel), not both")
    channels = len(card.channels)
    width = 1 if fields == {IMAGE} else channels
    if len(uploads) % width:
        raise Invalid(
            f"{len(uploads)} '{CHANNEL}' files are not a multiple of {card.name}'s {channels} channels "
            f"({_channel_names(card)})"
        )
    # The files of an image follow each other: all channels of the first image, then of the second.
    groups = [uploads[i : i + width] for i in range(0, len(uploads), width)]
    images = (image for group in groups for image in _images(group, card, request_limits))
    return _prepared(images, card, limits, request_limits)


def mean_per_image(vectors: NDArray[np.float32], counts: Sequence[int]) -> NDArray[np.float32]:
    """Return the mean vector of each image; `counts` (each at least 1) has the number of rows of each image."""
    if not counts:
        return vectors
    starts = np.cumsum([0, *counts[:-1]])
    # Float64 sums keep the digits that float32 would lose over many tiles.
    sums = np.add.reduceat(vectors.astype(np.float64), starts, axis=0)
    means: NDArray[np.float32] = (sums / np.asarray(counts)[:, None]).astype(np.float32)
    return means


def _prepared(
    fields: Iterator[tuple[str, Raw]], card: ModelCard, limits: IntensityLimits | None, request_limits: RequestLimits
) -> Tiles:
    """Prepare the images one by one, so that only one decoded image is in memory."""
    preprocessing = Preprocessing(limits=limits or card.limits, size=card.size, downscale=card.downscale)
    tally = IntensityTally(preprocessing.limits, [channel.name for channel in card.channels])
    names, parts, total = [], [], 0
    for name, field in fields:
        _check_field(name, field, card)
        small = downscaled(field, preprocessing.downscale)
        mapped = to_uint8(small, preprocessing.limits)
        tally.add(field, small, mapped)
        parts.append(cut_tiles(mapped, preprocessing))
        names.append(name)
        # The limit is checked after each image, so that a request cannot fill the memory first.
        total += len(parts[-1])
        _check_tiles(total, request_limits)
    empty = np.empty((0, len(card.channels), card.size, card.size), np.uint8)
    tiles = np.concatenate(parts) if parts else empty
    intensities = tally.intensities
    # Explicit limits are the client's own decision; those of the card were made for other images.
    if limits is None and intensities is not None and not request_limits.allow_clipping:
        _check_fit(intensities, card.limits)
    return Tiles(
        tiles=tiles,
        names=tuple(names),
        counts=tuple(map(len, parts)),
        limits=preprocessing.limits,
        intensities=intensities,
    )


def _check_fit(intensities: PlateIntensities, limits: IntensityLimits) -> None:
    reason = misfit(intensities, limits)
    if reason is not None:
        raise Invalid(f"{reason}; send the limits of these images as low and high, or allow_clipping=true")


def _check_field(name: str, field: Raw, card: ModelCard) -> None:
    if field.shape[0] != len(card.channels):
        raise InvalidImage(
            f"{name} has {field.shape[0]} channels; {card.name} takes {len(card.channels)} ({_channel_names(card)}): "
            f"one multi-channel file in '{IMAGE}', or one file per channel in '{CHANNEL}'"
        )
    if field.dtype.kind == "f" and not np.isfinite(field).all():
        raise InvalidImage(f"{name} holds NaN or infinite pixels")


def _channel_names(card: ModelCard) -> str:
    return ", ".join(channel.name for channel in card.channels)


def _check_tiles(count: int, request_limits: RequestLimits) -> None:
    if count > request_limits.max_tiles:
        raise TooLarge(
            f"more than {request_limits.max_tiles} tiles in one request; send the images in several requests"
        )


def _images(group: Sequence[Upload], card: ModelCard, request_limits: RequestLimits) -> Iterator[tuple[str, Raw]]:
    """Yield the images of one file, or of one file per channel, with their names. Images are decoded one by one."""
    with tempfile.TemporaryDirectory(prefix="gandl-") as folder:
        # Two clients' files may have the same name, so each has a folder of its own.
        paths = [_copy(upload, Path(folder, str(i))) for i, upload in enumerate(group)]
        counts = [count_images(path) for path in paths]
        if len(set(counts)) > 1:
            detail = f"{paths[0].name} holds {counts[0]} images and another channel of it {max(counts)}"
            raise InvalidImage(f"{detail}; send one file per image (field of view)")
        for number in range(1, counts[0] + 1):
            names = [image_name(path.name, number, counts[0]) for path in paths]
            images = [path.with_name(name) for path, name in zip(paths, names, strict=True)]
            # The client orders files of one channel each; only a file with all channels has an order of its own.
            reason = card.contradiction(read_header(images[0]).names) if len(images) == 1 else None
            if reason is not None:
                raise InvalidImage(f"{names[0]}: {reason}; send one file per channel in '{CHANNEL}', in that order")
            yield names[0], stack([_decoded(image, request_limits) for image in images], names)


def _copy(upload: Upload, folder: Path) -> Path:
    folder.mkdir()
    path = folder / _safe_name(upload.filename)
    with path.open("wb") as copy:
        while block := upload.file.read(_COPY_BYTES):
            copy.write(block)
    return path


def _decoded(path: Path, request_limits: RequestLimits) -> Raw:
    """Decode an image after a check of its header, because a small file may unpack to gigabytes."""
    header = read_header(path)
    pixels = header.channels * header.height * header.width
    if pixels > request_limits.max_pixels:
        raise TooLarge(f"{path.name} has {pixels} pixels; at most {request_limits.max_pixels} are allowed")
    return read_image(path)


def _safe_name(filename: str) -> str:
    """Return a client's file name in a form that is safe in a message and in a folder."""
    plain = re.sub(r"[^\w.+-]", "_", filename.replace("\\", "/").rsplit("/", 1)[-1], flags=re.ASCII)[-100:]
    return plain if plain.strip(".") else "unnamed"


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"[{i}]" for i in range(count))
