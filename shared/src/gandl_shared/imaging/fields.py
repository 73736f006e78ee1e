"""From a raw field of view to the uint8 field that a model sees. The one path for training, screens and `/embed`.

average over blocks of `downscale` pixels → map the limits of each channel to 0..255. The mapped type is uint8
everywhere, so the same image under the same limits gives the same vector on every path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandl_shared.errors import InvalidImage
from gandl_shared.files.references import parse_reference
from gandl_shared.imaging.greys import Raw
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.limits import IntensityLimits

Uint8 = NDArray[np.uint8]

MAX_EXACT = 2.0**24
"""Up to here float32 holds every whole number."""


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a raw field becomes tiles of `size` × `size` pixels: focal planes are reduced to one, then downscaling, then
    the intensity limits. The image of a `single_cell` gives one tile with the same centre."""

    limits: IntensityLimits
    size: int
    downscale: int
    reduction: Reduction = Reduction.NONE
    single_cell: bool = False

    @property
    def key(self) -> str:
        """SHA-256 of the canonical JSON of all values; a part of the identity of a vector."""
        values = {"limits": self.limits.model_dump(), "size": self.size, "downscale": self.downscale}
        # Vectors of single planes keep the keys that they had before planes could be reduced.
        if self.reduction is not Reduction.NONE:
            values["reduction"] = self.reduction.value
        if self.single_cell:
            values["single_cell"] = True
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def downscaled(image: Raw, factor: int) -> NDArray[np.float32]:
    """Return means over blocks of factor × factor pixels, [C, H, W] → [C, H // factor, W // factor].

    Rows and columns that do not fill a block are cut off.
    """
    if factor == 1:
        return image.astype(np.float32)
    c, h, w = image.shape
    height, width = h // factor, w // factor
    if not _sums_are_exact(image, factor):
        cut = image[:, : height * factor, : width * factor]
        blocks = cut.reshape(c, height, factor, width, factor)
        # A mean beyond float32 is infinite, which the limits make white.
        with np.errstate(over="ignore"):
            means: NDArray[np.float32] = blocks.mean(axis=(2, 4), dtype=np.float32)
        return means
    # The sum of every factor-th pixel from each place of a block: the same sums as over blocks, several times as fast.
    sums = np.zeros((c, height, width), np.float32)
    for y in range(factor):
        for x in range(factor):
            sums += image[:, y : y + height * factor : factor, x : x + width * factor : factor]
    return np.divide(sums, np.float32(factor**2), out=sums)


def _sums_are_exact(image: Raw, factor: int) -> bool:
    """Return True where float32 holds the sum of a block exactly, so that the order of its terms does not matter."""
    return image.dtype.kind == "u" and factor**2 * float(np.iinfo(image.dtype).max) <= MAX_EXACT


def to_uint8(image: NDArray[np.float32], limits: IntensityLimits) -> Uint8:
    """Map the limits of each channel of [C, H, W] to 0..255, rounded and clipped."""
    if len(limits.low) != image.shape[0]:
        raise InvalidImage(f"the image has {image.shape[0]} channels, the model takes {len(limits.low)}")
    mapped = np.empty(image.shape, np.uint8)
    # Channel by channel, so that a large image needs no second one in memory.
    for channel, low, high, target in zip(image, limits.low, limits.high, mapped, strict=True):
        bottom = np.float32(low)
        scaled = channel - bottom
        scaled *= np.float32(255) / (np.float32(high) - bottom)
        # To cut off the decimals instead would make every image half a grey level darker on average.
        np.rint(scaled, out=scaled)
        np.clip(scaled, 0, 255, out=target, casting="unsafe")
    return mapped


def prepare_field(image: Raw, preprocessing: Preprocessing) -> Uint8:
    """Return the whole field as the model would see it: downscaled and mapped, [C, H', W'] uint8."""
    return to_uint8(downscaled(image, preprocessing.downscale), preprocessing.limits)


def shrunk(field: Uint8, max_edge: int) -> Uint8:
    """Return a mapped field [C, H, W] as a picture with edges of at most `max_edge` pixels; a smaller one is unchanged.

    Every new pixel is the mean of the area that it covers, so that a dim cell does not vanish between two pixels.
    """
    height, width = field.shape[1:]
    scale = max_edge / max(height, width)
    if scale >= 1:
        return field
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.stack([np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.BOX)) for channel in field])


def vector_key(
    contents: Sequence[bytes],
    preprocessing: Preprocessing,
    model_id: str,
    *,
    names: Sequence[str] = (),
    planes: Sequence[int] = (),
) -> str:
    """Return what a site's vectors were made of: SHA-256 over the digests of its files, preprocessing and model.

    How they were computed follows it in their full key (`gandl_shared.models.numerics`).

    `contents` are those of `read_content`; `names` may refer to images of the files, and then their numbers count too,
    as do the numbers of focal `planes` where planes are reduced.
    """
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    # The content of a plane in OME-Zarr is that plane alone, but a file may hold several images.
    images = [f"image={image}" for name in names if (image := parse_reference(name).parts.get("image"))]
    stacks = [f"planes={list(planes)}"] if planes else []
    parts = [*digests, *images, *stacks, preprocessing.key, model_id]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
