"""Make tiles of the images of a request: of uploaded files, or of a `.npy` array.

All images go through `gandl_shared.imaging`, as in a screen, so that the same image under the same limits has the same
vector on every path.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from gandl_shared.errors import Invalid, InvalidImage, TooLarge
from gandl_shared.files.references import image_name
from gandl_shared.imaging import (
    FileImage,
    IntensityLimits,
    IntensityTally,
    Preprocessing,
    cut_tiles,
    downscaled,
    misfit,
    open_images,
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
MAX_PAGES = 512
"""The largest number of pages of an uploaded TIFF."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file of a multipart request."""

    field: str
    filename: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """The maximum of pixels (channels × height × width) and of tiles of one request.

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


def holds_tiles(array: Raw, card: ModelCard, limits: IntensityLimits | None) -> bool:
    """Return True for an array of tiles that are ready: uint8 of exactly the model's tile size, without limits."""
    return array.dtype == np.uint8 and array.ndim == 4 and array.shape[2:] == (card.size, card.size) and limits is None


def tiles_of_array(array: Raw, card: ModelCard, limits: IntensityLimits | None, request_limits: RequestLimits) -> Tiles:
    """Return the tiles of a `.npy` body [N, C, H, W].

    An array of uint8 of exactly the model's tile size and without explicit limits holds tiles that are ready. Every
    other array holds raw fields. Raises Invalid if type or shape do not fit the model, TooLarge.
    """
    channels = len(card.channels)
    if str(array.dtype) not in _RAW_TYPES or array.ndim != 4 or array.shape[1] != channels:
        raise Invalid(
            f"{card.name} takes [N, {channels}, H, W] of {', '.join(_RAW_TYPES)}; "
            f"the array is {array.dtype} {list(array.shape)}"
        )
    if holds_tiles(array, card, limits):
        _check_tiles(len(array), request_limits)
        return Tiles(tiles=array, names=_numbered(len(array)), counts=(1,) * len(array), limits=None)
    if array.size > request_limits.max_pixels:
        raise TooLarge(f"the array has {array.size} pixels; at most {request_limits.max_pixels} are allowed")
    if len(array) and not array.size:
        raise Invalid(f"the array {list(array.shape)} has images without pixels")
    return _prepared(((f"[{i}]", field) for i, field in enumerate(array)), card, limits, request_limits)


def tiles_of_uploads(
    uploads: Sequence[Upload],
    card: ModelCard,
    limits: IntensityLimits | None,
    request_limits: RequestLimits,
    expect_pixels: Callable[[int], None] = lambda _: None,
) -> Tiles:
    """Return the tiles of uploaded image files; each image (field of view) of a file is an image of the answer.

    `expect_pixels` is called with the pixels of each file, or of each file per channel, before they are decoded.

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
    budget = _Budget(request_limits.max_pixels)

    def take(pixels: int, name: str) -> None:
        budget.take(pixels, name)
        expect_pixels(pixels)

    images = (image for group in groups for image in _images(group, card, take))
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


@dataclass
class _Budget:
    """The pixels that the images of a request may still have."""

    pixels: int

    def take(self, pixels: int, name: str) -> None:
        """Take the pixels of an image before it is decoded, because a small file may unpack to gigabytes."""
        if pixels > self.pixels:
            raise TooLarge(f"{name} has {pixels} pixels; at most {self.pixels} are allowed here, in several requests")
        self.pixels -= pixels


def _images(
    group: Sequence[Upload], card: ModelCard, take_pixels: Callable[[int, str], None]
) -> Iterator[tuple[str, Raw]]:
    """Yield the images of one file, or of one file per channel, with their names. Images are decoded one by one."""
    plain = [_safe_name(upload.filename) for upload in group]
    with ExitStack() as files:
        per_file = [
            files.enter_context(open_images(io.BytesIO(upload.content), name, MAX_PAGES))
            for upload, name in zip(group, plain, strict=True)
        ]
        counts = [len(images) for images in per_file]
        if len(set(counts)) > 1:
            detail = f"{plain[0]} holds {counts[0]} images and another channel of it {max(counts)}"
            raise InvalidImage(f"{detail}; send one file per image (field of view)")
        take_pixels(sum(_pixels(image) for images in per_file for image in images), plain[0])
        for number, images in enumerate(zip(*per_file, strict=True), start=1):
            names = [image_name(name, number, counts[0]) for name in plain]
            # The client orders files of one channel each; only a file with all channels has an order of its own.
            reason = card.contradiction(images[0].header.names) if len(images) == 1 else None
            if reason is not None:
                raise InvalidImage(f"{names[0]}: {reason}; send one file per channel in '{CHANNEL}', in that order")
            yield names[0], stack([image.read() for image in images], names)


def _pixels(image: FileImage) -> int:
    return image.header.channels * image.header.height * image.header.width


def _safe_name(filename: str) -> str:
    """Return a client's file name in a form that is safe in a message and in a folder."""
    plain = re.sub(r"[^\w.+-]", "_", filename.replace("\\", "/").rsplit("/", 1)[-1], flags=re.ASCII)[-100:]
    return plain if plain.strip(".") else "unnamed"


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"[{i}]" for i in range(count))
