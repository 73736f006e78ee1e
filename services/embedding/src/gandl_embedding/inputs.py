"""From what a request carries (image files, a `.npy`) to tiles. Pure: bytes in, arrays out.

Everything goes through `gandl_shared.imaging`, as in a screen, so the same image under the same limits is the same
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
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare, read_header, read_image, stack
from gandl_shared.models import ModelCard
from numpy.typing import NDArray

Raw = NDArray[Any]  # uint8, uint16 or float32
Uint8 = NDArray[np.uint8]

IMAGE, CHANNEL = "image", "channel"
"""Form fields: a whole multi-channel image a part, or one channel a part in the order of the model's channels."""

_RAW_TYPES = ("uint8", "uint16", "float32")
_COPY = 2**20


@dataclass(frozen=True)
class Upload:
    """One file of a multipart request."""

    field: str
    filename: str
    file: BinaryIO


@dataclass(frozen=True)
class Bounds:
    """Most pixels (channels × height × width) of one image, most tiles of one request."""

    pixels: int
    tiles: int


@dataclass(frozen=True)
class Tiles:
    """The tiles of a request, image by image; `limits` is None where they came ready-made."""

    tiles: Uint8
    names: tuple[str, ...]
    counts: tuple[int, ...]
    limits: IntensityLimits | None


def explicit_limits(low: Sequence[float], high: Sequence[float], card: ModelCard) -> IntensityLimits | None:
    """The limits a request gives, None where it gives none. Raises Invalid where they do not fit the model."""
    if not low and not high:
        return None
    channels = len(card.channels)
    if len(low) != channels or len(high) != channels:
        raise Invalid(f"{card.name} has {channels} channels; given are {len(low)} low and {len(high)} high limits")
    for bottom, top, channel in zip(low, high, card.channels, strict=True):
        with np.errstate(all="ignore"):
            width = np.float32(top) - np.float32(bottom)
            usable = width > 0 and np.isfinite(width) and np.isfinite(np.float32(255) / width)
        if not usable:
            raise Invalid(f"the limits of channel {channel.name}, {bottom:g} to {top:g}, leave no range in float32")
    return IntensityLimits(low=tuple(low), high=tuple(high))


def tiles_of_array(array: Raw, card: ModelCard, limits: IntensityLimits | None, bounds: Bounds) -> Tiles:
    """Tiles of a `.npy` body [N, C, H, W].

    uint8 of exactly the model's tile size and without explicit limits are tiles that are ready; all else are raw
    fields. Raises Invalid where type or shape do not fit the model, TooLarge.
    """
    channels, size = len(card.channels), card.size
    if str(array.dtype) not in _RAW_TYPES or array.ndim != 4 or array.shape[1] != channels:
        raise Invalid(
            f"{card.name} takes [N, {channels}, H, W] of {', '.join(_RAW_TYPES)}; "
            f"given are {array.dtype} {list(array.shape)}"
        )
    if array.dtype == np.uint8 and array.shape[2:] == (size, size) and limits is None:
        _check_tiles(len(array), bounds)
        return Tiles(array, _numbered(len(array)), (1,) * len(array), None)
    if array[:1].size > bounds.pixels:
        raise TooLarge(f"each image has {array[:1].size} pixels; at most {bounds.pixels} are taken")
    return _prepared(((f"[{i}]", field) for i, field in enumerate(array)), card, limits, bounds)


def tiles_of_uploads(
    uploads: Sequence[Upload], card: ModelCard, limits: IntensityLimits | None, bounds: Bounds
) -> Tiles:
    """Tiles of uploaded image files. Raises Invalid, InvalidImage, UnsupportedType, TooLarge, naming the file."""
    fields = {upload.field for upload in uploads}
    if not fields or not fields <= {IMAGE, CHANNEL}:
        found = ", ".join(sorted(fields - {IMAGE, CHANNEL})) or "none"
        raise Invalid(f"give files in the form fields '{IMAGE}' or '{CHANNEL}'; others were: {found}")
    if len(fields) > 1:
        raise Invalid(f"give either '{IMAGE}' (whole images) or '{CHANNEL}' (one file a channel), not both")
    channels = len(card.channels)
    width = 1 if fields == {IMAGE} else channels
    if len(uploads) % width:
        names = ", ".join(channel.name for channel in card.channels)
        raise Invalid(
            f"{len(uploads)} '{CHANNEL}' files are no multiple of {card.name}'s {channels} channels ({names})"
        )
    groups = [uploads[i : i + width] for i in range(0, len(uploads), width)]
    return _prepared(((_shown(group[0].filename), _image(group, bounds)) for group in groups), card, limits, bounds)


def pooled(vectors: NDArray[np.float32], counts: Sequence[int]) -> NDArray[np.float32]:
    """The mean vector of each image: rows of `vectors` in groups of `counts`, which are all at least 1."""
    if not counts:
        return vectors
    starts = np.cumsum([0, *counts[:-1]])
    sums = np.add.reduceat(vectors.astype(np.float64), starts, axis=0)
    means: NDArray[np.float32] = (sums / np.asarray(counts)[:, None]).astype(np.float32)
    return means


def _prepared(
    fields: Iterator[tuple[str, Raw]], card: ModelCard, limits: IntensityLimits | None, bounds: Bounds
) -> Tiles:
    """Field by field, so that one decoded image is held at a time."""
    preprocessing = Preprocessing(limits=limits or card.limits, size=card.size, downscale=card.downscale)
    names, parts, total = [], [], 0
    for name, field in fields:
        _check_field(name, field, card)
        parts.append(prepare(field, preprocessing))
        names.append(name)
        total += len(parts[-1])
        _check_tiles(total, bounds)
    empty = np.empty((0, len(card.channels), card.size, card.size), np.uint8)
    tiles = np.concatenate(parts) if parts else empty
    return Tiles(tiles, tuple(names), tuple(map(len, parts)), preprocessing.limits)


def _check_field(name: str, field: Raw, card: ModelCard) -> None:
    if field.shape[0] != len(card.channels):
        raise InvalidImage(
            f"{name} has {field.shape[0]} channels; {card.name} takes {len(card.channels)} ({_channels(card)}): "
            f"one multi-channel file in '{IMAGE}', or a file for each in '{CHANNEL}'"
        )
    if field.dtype.kind == "f" and not np.isfinite(field).all():
        raise InvalidImage(f"{name} holds NaN or infinite pixels")


def _channels(card: ModelCard) -> str:
    return ", ".join(channel.name for channel in card.channels)


def _check_tiles(count: int, bounds: Bounds) -> None:
    if count > bounds.tiles:
        raise TooLarge(f"more than {bounds.tiles} tiles in one request; send the images in several")


def _image(group: Sequence[Upload], bounds: Bounds) -> Raw:
    return stack([_decoded(upload, bounds) for upload in group], [_shown(upload.filename) for upload in group])


def _decoded(upload: Upload, bounds: Bounds) -> Raw:
    """Through a file, because headers are judged before pixels are decoded: a small file may unpack to gigabytes."""
    with tempfile.TemporaryDirectory(prefix="gandl-") as folder:
        path = Path(folder, _shown(upload.filename))
        with path.open("wb") as copy:
            while block := upload.file.read(_COPY):
                copy.write(block)
        header = read_header(path)
        pixels = header.channels * header.height * header.width
        if pixels > bounds.pixels:
            raise TooLarge(f"{path.name} has {pixels} pixels; at most {bounds.pixels} are taken")
        return read_image(path)


def _shown(filename: str) -> str:
    """A client's file name as it can stand in a message and in a folder."""
    plain = re.sub(r"[^\w.+-]", "_", filename.replace("\\", "/").rsplit("/", 1)[-1], flags=re.ASCII)[-100:]
    return plain if plain.strip(".") else "unnamed"


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"[{i}]" for i in range(count))
