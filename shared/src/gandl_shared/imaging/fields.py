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
    c, h, w = image.shape
    if factor == 1:
        return image.astype(np.float32)
    cut = image[:, : h // factor * factor, : w // factor * factor]
    blocks = cut.reshape(c, h // factor, factor, w // factor, factor)
    means: NDArray[np.float32] = blocks.mean(axis=(2, 4), dtype=np.float32)
    return means


def to_uint8(image: NDArray[np.float32], limits: IntensityLimits) -> Uint8:
    """Map the limits of each channel of [C, H, W] to 0..255, rounded and clipped."""
    if len(limits.low) != image.shape[0]:
        raise InvalidImage(f"the image has {image.shape[0]} channels, the model takes {len(limits.low)}")
    low = np.asarray(limits.low, np.float32)[:, None, None]
    high = np.asarray(limits.high, np.float32)[:, None, None]
    scaled = (image - low) * (np.float32(255) / (high - low))
    # To cut off the decimals instead would make every image half a grey level darker on average.
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


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
    """Return the identity of a site's vectors: SHA-256 over the digests of its files, preprocessing and model.

    `contents` are those of `read_content`; `names` may refer to images of the files, and then their numbers count too,
    as do the numbers of focal `planes` where planes are reduced.
    """
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    # The content of a plane in OME-Zarr is that plane alone, but a file may hold several images.
    images = [f"image={image}" for name in names if (image := parse_reference(name).parts.get("image"))]
    stacks = [f"planes={list(planes)}"] if planes else []
    parts = [*digests, *images, *stacks, preprocessing.key, model_id]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
