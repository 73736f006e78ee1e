"""Make tiles of the images of a request: of uploaded files, or of a `.npy` array.

All images go through `gandl_shared.imaging`, as in a screen, so that the same image under the same limits has the same
vector on every path.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from gandl_shared.errors import BadInput, Invalid, InvalidImage, TooLarge
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

from gandl_embedding.inputs.channel_order import channel_names, channel_order, files_by_channel
from gandl_embedding.inputs.uploads import CHANNEL, IMAGE, Upload, safe_name

Raw = NDArray[Any]  # uint8, uint16 or float32
Uint8 = NDArray[np.uint8]

_RAW_TYPES = ("uint8", "uint16", "float32")
_UINT8 = np.dtype(np.uint8)
_RAW_DTYPES = tuple(map(np.dtype, _RAW_TYPES))
MAX_PAGES = 512
"""The largest number of pages of an uploaded TIFF."""


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """The maximum of pixels (channels × height × width) and of tiles of one request.

    `allow_clipping` accepts images that the limits of the model card do not fit. With `keep_going` an image that cannot
    be used has no tiles and an error, and the others go on. `channels` are the names of the channels in the order in
    which they are sent; without names they come in the order of the model.
    """

    max_pixels: int
    max_tiles: int
    allow_clipping: bool = False
    keep_going: bool = False
    channels: tuple[str, ...] = ()


class Tiles(NamedTuple):
    """The tiles of a request [N, C, size, size], image by image.

    `names` and `counts` have one entry per image, and so has `errors`, unless no image has one. `limits` and
    `intensities`, how the pixels lie in them, are None if the tiles came ready-made.
    """

    tiles: Uint8
    names: tuple[str, ...]
    counts: tuple[int, ...]
    limits: IntensityLimits | None
    intensities: PlateIntensities | None = None
    errors: tuple[str | None, ...] = ()


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


def ready_tiles(array: Raw, card: ModelCard, max_tiles: int) -> Tiles | None:
    """Return the tiles of a `.npy` body without limits and names of channels, or None if it holds no ready tiles.

    Raises TooLarge.
    """
    if array.dtype != _UINT8 or array.shape[1:] != (len(card.channels), card.size, card.size):
        return None
    count = len(array)
    _check_tiles(count, max_tiles)
    return Tiles(tiles=array, names=_numbered(count), counts=(1,) * count, limits=None)


def tiles_of_array(array: Raw, card: ModelCard, limits: IntensityLimits | None, request_limits: RequestLimits) -> Tiles:
    """Return the tiles of a `.npy` body [N, C, H, W].

    An array of uint8 of exactly the model's tile size and without explicit limits holds tiles that are ready. Every
    other array holds raw fields. Raises Invalid if type or shape do not fit the model, TooLarge.
    """
    channels = len(card.channels)
    if array.dtype not in _RAW_DTYPES or array.ndim != 4 or array.shape[1] != channels:
        raise Invalid(
            f"{card.name} takes [N, {channels}, H, W] of {', '.join(_RAW_TYPES)}; "
            f"the array is {array.dtype} {list(array.shape)}"
        )
    order = channel_order(request_limits.channels, card) if request_limits.channels else None
    array = array if order is None else array[:, order]
    if holds_tiles(array, card, limits):
        _check_tiles(len(array), request_limits.max_tiles)
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
    by_name = files_by_channel(uploads, card)
    if by_name is not None:
        uploads = by_name
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
            f"({channel_names(card)})"
        )
    # The files of an image follow each other: all channels of the first image, then of the second.
    groups = [uploads[i : i + width] for i in range(0, len(uploads), width)]
    budget = _Budget(request_limits.max_pixels)

    def take(pixels: int, name: str) -> None:
        budget.take(pixels, name)
        expect_pixels(pixels)

    order = None if by_name is not None else channel_order(request_limits.channels, card)
    attempts: Iterable[Iterator[tuple[str, Raw | BadInput]]] = (_images(group, card, order, take) for group in groups)
    if request_limits.keep_going:
        names = (safe_name(group[0].filename) for group in groups)
        attempts = (_with_errors(images, name) for images, name in zip(attempts, names, strict=True))
    images = (image for attempt in attempts for image in attempt)
    return _prepared(images, card, limits, request_limits)


def _with_errors(images: Iterator[tuple[str, Raw | BadInput]], name: str) -> Iterator[tuple[str, Raw | BadInput]]:
    """Yield the images of a file, and the error that ends them."""
    try:
        yield from images
    except BadInput as error:
        yield name, error


def mean_per_image(vectors: NDArray[np.float32], counts: Sequence[int]) -> NDArray[np.float32]:
    """Return the mean vector of each image that has rows, by the number of rows of each."""
    counts = [count for count in counts if count]
    if not counts:
        return vectors
    starts = np.cumsum([0, *counts[:-1]])
    # Float64 sums keep the digits that float32 would lose over many tiles.
    sums = np.add.reduceat(vectors.astype(np.float64), starts, axis=0)
    means: NDArray[np.float32] = (sums / np.asarray(counts)[:, None]).astype(np.float32)
    return means


def _prepared(
    fields: Iterable[tuple[str, Raw | BadInput]],
    card: ModelCard,
    limits: IntensityLimits | None,
    request_limits: RequestLimits,
) -> Tiles:
    """Prepare the images one by one, so that only one decoded image is in memory."""
    preprocessing = Preprocessing(limits=limits or card.limits, size=card.size, downscale=card.downscale)
    tally = IntensityTally(preprocessing.limits, [channel.name for channel in card.channels])
    empty = np.empty((0, len(card.channels), card.size, card.size), np.uint8)
    names: list[str] = []
    parts: list[Uint8] = []
    errors: list[BadInput | None] = []
    for name, field in fields:
        names.append(name)
        try:
            parts.append(_cut(name, field, card, preprocessing, tally))
            errors.append(None)
        except BadInput as error:
            if not request_limits.keep_going:
                raise
            parts.append(empty)
            errors.append(error)
        # The limit is checked after each image, so that a request cannot fill the memory first.
        _check_tiles(sum(map(len, parts)), request_limits.max_tiles)
    first = next((error for error in errors if error is not None), None)
    # A request without any image that can be used has failed as a whole.
    if first is not None and None not in errors:
        raise first
    intensities = tally.intensities
    # Explicit limits are the client's own decision; those of the card were made for other images.
    if limits is None and intensities is not None and not request_limits.allow_clipping:
        _check_fit(intensities, card.limits)
    return Tiles(
        tiles=np.concatenate(parts) if parts else empty,
        names=tuple(names),
        counts=tuple(map(len, parts)),
        limits=preprocessing.limits,
        intensities=intensities,
        errors=() if first is None else tuple(None if error is None else error.detail for error in errors),
    )


def _cut(
    name: str, field: Raw | BadInput, card: ModelCard, preprocessing: Preprocessing, tally: IntensityTally
) -> Uint8:
    """Return the tiles of an image and count its pixels. Raises the error in its place, InvalidImage."""
    if isinstance(field, BadInput):
        raise field
    _check_field(name, field, card)
    small = downscaled(field, preprocessing.downscale)
    mapped = to_uint8(small, preprocessing.limits)
    tiles = cut_tiles(mapped, preprocessing)
    tally.add(field, small, mapped)
    return tiles


def _check_fit(intensities: PlateIntensities, limits: IntensityLimits) -> None:
    reason = misfit(intensities, limits)
    if reason is not None:
        raise Invalid(f"{reason}; send the limits of these images as low and high, or allow_clipping=true")


def _check_field(name: str, field: Raw, card: ModelCard) -> None:
    if field.shape[0] != len(card.channels):
        raise InvalidImage(
            f"{name} has {field.shape[0]} channels; {card.name} takes {len(card.channels)} ({channel_names(card)}): "
            f"one multi-channel file in '{IMAGE}', or one file per channel in '{CHANNEL}'"
        )
    if field.dtype.kind == "f" and not np.isfinite(field).all():
        raise InvalidImage(f"{name} holds NaN or infinite pixels")


def _check_tiles(count: int, max_tiles: int) -> None:
    if count > max_tiles:
        raise TooLarge(f"more than {max_tiles} tiles in one request; send the images in several requests")


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
    group: Sequence[Upload], card: ModelCard, order: Sequence[int] | None, take_pixels: Callable[[int, str], None]
) -> Iterator[tuple[str, Raw | BadInput]]:
    """Yield the images of one file, or of one file per channel, with their names. Images are decoded one by one."""
    plain = [safe_name(upload.filename) for upload in group]
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
            if len(images) == 1:
                yield names[0], _whole_image(images[0], names[0], card, order)
            else:
                # The client orders files of one channel each, by name or as the model does.
                inputs = range(len(images)) if order is None else order
                yield names[0], stack([images[i].read() for i in inputs], [names[i] for i in inputs])


def _whole_image(image: FileImage, name: str, card: ModelCard, order: Sequence[int] | None) -> Raw:
    """Return an image with all channels in the order of the model. Raises InvalidImage if its own names contradict."""
    own = image.header.names
    if order is not None and image.header.channels == len(order):
        own = tuple(own[number] for number in order) if own else ()
    reason = card.contradiction(own)
    if reason is not None:
        raise InvalidImage(f"{name}: {reason}; send one file per channel in '{CHANNEL}', in that order")
    field = image.read()
    return field if order is None or len(field) != len(order) else field[order]


def _pixels(image: FileImage) -> int:
    return image.header.channels * image.header.height * image.header.width


@lru_cache(maxsize=64)
def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"[{i}]" for i in range(count))
