"""How pixels lie in intensity limits that were made for other images, and whether such limits fit at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gandl_shared.imaging.greys import Raw
from gandl_shared.schemas.limits import ChannelIntensities, IntensityLimits, PlateIntensities

MAX_CLIPPED = 0.05
"""The largest share of the pixels of a channel that may lie outside its limits. Percentiles leave out 0.002, and image
QC calls a field saturated from 0.05 on."""
MIN_USED = 0.05
"""The smallest share of the range between the limits that some channel must span: 13 grey levels of 255."""
CAMERA_BITS = (8, 10, 12, 14, 16)
_TAILS = (0.001, 0.999)  # as in the limits of a plate


class IntensityTally:
    """Counts, image by image, how the pixels of the channels lie in `limits`; `channels` are their names."""

    def __init__(self, limits: IntensityLimits, channels: Sequence[str]) -> None:
        self._limits = limits
        self._channels = channels
        self._images = 0
        self._pixels = 0
        self._pixel_type = ""
        n = len(channels)
        self._outside = np.zeros((2, n), np.int64)
        self._levels = np.zeros((n, 256), np.int64)
        self._ends = np.array([[np.inf] * n, [-np.inf] * n])

    def add(self, raw: Raw, small: NDArray[np.float32], mapped: NDArray[np.uint8]) -> None:
        """Count an image [C, H, W]: its pixels as read, after downscaling, and mapped by the limits."""
        low, high = (np.asarray(ends, np.float32)[:, None, None] for ends in (self._limits.low, self._limits.high))
        self._outside += (small < low).sum(axis=(1, 2)), (small > high).sum(axis=(1, 2))
        self._levels += [np.bincount(channel.ravel(), minlength=256) for channel in mapped]
        self._ends[0] = np.minimum(self._ends[0], raw.min(axis=(1, 2)))
        self._ends[1] = np.maximum(self._ends[1], raw.max(axis=(1, 2)))
        self._pixels += small[0].size
        self._images += 1
        self._pixel_type = self._pixel_type or str(raw.dtype)

    @property
    def intensities(self) -> PlateIntensities | None:
        """What was counted; None before the first image."""
        if not self._images:
            return None
        measured = zip(self._channels, self._ends.T.tolist(), self._outside.T.tolist(), self._levels, strict=True)
        return PlateIntensities(
            pixel_type=self._pixel_type,
            bits=camera_bits(self._pixel_type, float(self._ends[1].max())),
            sites=self._images,
            channels=tuple(
                ChannelIntensities(
                    channel=name,
                    smallest=smallest,
                    largest=largest,
                    below=below / self._pixels,
                    above=above / self._pixels,
                    used=_used(levels),
                )
                for name, (smallest, largest), (below, above), levels in measured
            ),
        )


def camera_bits(pixel_type: str, largest: float) -> int | None:
    """Return the bits that the largest value needs, of those that cameras have; None for floats."""
    if pixel_type.startswith("float"):
        return None
    return next((bits for bits in CAMERA_BITS if largest < 2**bits), CAMERA_BITS[-1])


def misfit(intensities: PlateIntensities, limits: IntensityLimits) -> str | None:
    """Return why limits do not fit the images, or None where they do.

    They do not where more than MAX_CLIPPED of the pixels of a channel lie outside, or where every channel uses less
    than MIN_USED of its range. A single channel may be dark, such as a reporter that is silent, and a channel of one
    value has nothing that limits could cut off.
    """
    varied = [c for c in intensities.channels if c.smallest < c.largest]
    # Pixels that are all above the limits use one level too, but the share says more about them.
    dark = all(c.used < MIN_USED and c.above <= MAX_CLIPPED for c in intensities.channels)
    if varied and dark:
        levels = max(c.used for c in intensities.channels) * 255 + 1
        return f"the images use about {levels:.0f} of 256 grey levels ({_ranges(intensities, limits)})"
    clipped = [c for c in varied if c.clipped > MAX_CLIPPED]
    if clipped:
        shares = " and ".join(f"{100 * c.clipped:.0f} % of channel {c.channel}" for c in clipped)
        return f"{shares} lie outside the limits and become black or white ({_ranges(intensities, limits)})"
    return None


def _used(levels: NDArray[np.int64]) -> float:
    """Return the share of 255 grey levels that 99.8 % of the pixels span, from the pixels per level [256]."""
    low, high = np.searchsorted(levels.cumsum() / levels.sum(), _TAILS)
    return float(high - low) / 255


def _ranges(intensities: PlateIntensities, limits: IntensityLimits) -> str:
    depth = intensities.pixel_type if intensities.bits is None else f"{intensities.bits} bit"
    ranges = "; ".join(
        f"{c.channel} from {c.smallest:g} to {c.largest:g}, limits {low:g} to {high:g}"
        for c, low, high in zip(intensities.channels, limits.low, limits.high, strict=True)
    )
    return f"images of {depth}: {ranges}"
