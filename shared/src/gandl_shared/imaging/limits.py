"""Intensity limits of a plate: percentiles over a sample of its own sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gandl_shared.errors import InvalidImage
from gandl_shared.imaging.clipping import camera_bits
from gandl_shared.imaging.fields import downscaled
from gandl_shared.imaging.readers import SiteFiles, first_name, read_site
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.limits import ChannelIntensities, IntensityLimits, PlateIntensities

MAX_SAMPLED_SITES = 32
"""The limits of a plate are taken from at most so many of its sites."""
MAX_SAMPLED_CELLS = 1024
"""The limits of images of single cells, which are small, are taken from at most so many of them."""
MAX_SAMPLED_VALUES = 2**28
"""So many pixels of all channels are kept at most; of larger images every second, third, ... pixel is."""
LOW_PERCENTILE, HIGH_PERCENTILE = 0.1, 99.9
MIN_RELATIVE_WIDTH = 2.0**-16
"""The smallest distance of two percentiles, as a share of the larger of them, that is a contrast of the channel: one
grey level of a full camera of 16 bit."""

T = TypeVar("T")


def evenly_spread(items: Sequence[T], count: int) -> list[T]:
    """Return at most `count` items spread evenly over a sequence, the first and the last among them (from two on)."""
    positions = np.linspace(0, len(items) - 1, min(count, len(items)))
    return [items[i] for i in sorted({int(position) for position in positions})]


def sampled_limits(
    sites: Sequence[SiteFiles],
    *,
    downscale: int,
    reduction: Reduction = Reduction.NONE,
    count: int = MAX_SAMPLED_SITES,
) -> IntensityLimits:
    """Return the limits over at most `count` of `sites` (the files of each site of one plate).

    Raises InvalidImage as `limits_of_sites` does.
    """
    # Neighbouring wells often have the same treatment, so the sample comes from all parts of the plate.
    return limits_of_sites(evenly_spread(sites, count), downscale=downscale, reduction=reduction)


def limits_of_sites(
    sites: Sequence[SiteFiles], *, downscale: int, reduction: Reduction = Reduction.NONE
) -> IntensityLimits:
    """Return the 0.1 and 99.9 percentiles of each channel over all pixels of these sites.

    The limits scale with the data: counts, and the same counts as fractions of 65535, give the same uint8 field. A
    channel whose two percentiles coincide gets the whole range of its pixels; a constant channel gets a range as wide
    as its value.

    Raises InvalidImage where there is no site, and where sites differ in channels or bit depth: the limits of one depth
    turn the images of another black or white.
    """
    return sample_pixels(sites, downscale=downscale, reduction=reduction).limits


@dataclass(frozen=True, kw_only=True)
class PixelSample:
    """The pixels of some sites of one plate.

    `pixels` [C, N] are those of all sites after downscaling. `smallest` and `largest` [C] are the extreme values in the
    files, whose pixels are of type `pixel_type`; `sites` is the number of sites.
    """

    pixels: NDArray[np.float32]
    smallest: tuple[float, ...]
    largest: tuple[float, ...]
    pixel_type: str
    sites: int

    @cached_property
    def percentiles(self) -> tuple[tuple[float, float], ...]:
        """The 0.1 and 99.9 percentiles of each channel."""
        # One hot pixel of the camera would decide the largest value, but it hardly changes a percentile.
        low, high = np.percentile(self.pixels, [LOW_PERCENTILE, HIGH_PERCENTILE], axis=1)
        return tuple(zip(low.tolist(), high.tolist(), strict=True))

    @cached_property
    def limits(self) -> IntensityLimits:
        """The percentiles as limits, wider where they coincide."""
        ranges = [_range(channel, *ends) for channel, ends in zip(self.pixels, self.percentiles, strict=True)]
        return IntensityLimits(low=tuple(lowest for lowest, _ in ranges), high=tuple(highest for _, highest in ranges))

    def intensities(self, limits: IntensityLimits, channels: Sequence[str]) -> PlateIntensities:
        """Return how the pixels of the channels, by their names, lie in `limits`."""
        measured = zip(
            channels, self.pixels, self.percentiles, self.smallest, self.largest, limits.low, limits.high, strict=True
        )
        return PlateIntensities(
            pixel_type=self.pixel_type,
            bits=camera_bits(self.pixel_type, max(self.largest)),
            sites=self.sites,
            channels=tuple(
                ChannelIntensities(
                    channel=name,
                    smallest=smallest,
                    largest=largest,
                    below=float(np.mean(pixels < np.float32(low))),
                    above=float(np.mean(pixels > np.float32(high))),
                    used=max(min(top, high) - max(bottom, low), 0.0) / (high - low),
                )
                for name, pixels, (bottom, top), smallest, largest, low, high in measured
            ),
        )


def sample_pixels(sites: Sequence[SiteFiles], *, downscale: int, reduction: Reduction = Reduction.NONE) -> PixelSample:
    """Read the pixels of `sites` (the files of each). Raises InvalidImage as `limits_of_sites` does."""
    if not sites:
        raise InvalidImage("there are no images to take intensity limits from")
    fields: list[NDArray[np.float32]] = []
    ends: list[tuple[NDArray[np.generic], NDArray[np.generic]]] = []
    depth = ""
    for files in sites:
        image = read_site(files, reduction)
        depth = depth or str(image.dtype)
        check_depth(first_name(files), str(image.dtype), first_name(sites[0]), depth)
        fields.append(_thinned(downscaled(image, downscale), MAX_SAMPLED_VALUES // len(sites)))
        ends.append((image.min(axis=(1, 2)), image.max(axis=(1, 2))))
    channels = {field.shape[0] for field in fields}
    if len(channels) > 1:
        raise InvalidImage(f"the sites of a plate have different numbers of channels: {sorted(channels)}")
    smallest, largest = np.min([low for low, _ in ends], axis=0), np.max([high for _, high in ends], axis=0)
    return PixelSample(
        pixels=np.concatenate(fields, axis=1),
        smallest=tuple(map(float, smallest)),
        largest=tuple(map(float, largest)),
        pixel_type=depth,
        sites=len(sites),
    )


def _thinned(field: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Return the pixels [C, N] of a field, evenly thinned to at most about `most` of all channels."""
    flat: NDArray[np.float32] = field.reshape(field.shape[0], -1)
    step = -(-field.size // max(most, 1))
    return flat if step <= 1 else flat[:, ::step].copy()


def _range(pixels: NDArray[np.float32], low: float, high: float) -> tuple[float, float]:
    """Return the percentiles, or where they coincide a wider range, so that nothing is divided by zero."""
    if _has_contrast(low, high):
        return low, high
    # Less than a thousandth of the pixels may hold all the signal, such as a few bright spots on a black background.
    darkest, brightest = float(pixels.min()), float(pixels.max())
    if _has_contrast(darkest, brightest):
        return darkest, brightest
    return low, low + (abs(low) or 1.0)


def _has_contrast(low: float, high: float) -> bool:
    # The smallest width is relative to the values and no grey level, because float images may hold fractions of 1.
    return high - low > MIN_RELATIVE_WIDTH * max(abs(low), abs(high))


def check_depth(name: str, depth: str, other: str, other_depth: str) -> None:
    """Raise InvalidImage if two files of a plate differ in the type of their pixels."""
    if depth != other_depth:
        detail = f"{name} is {depth} but {other} of the same plate is {other_depth}"
        raise InvalidImage(f"{detail}; give images of one bit depth per plate")
