"""The intensity limits of the channels of an image, and how the pixels of a plate lie in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gandl_shared.schemas.base import Frozen


class IntensityLimits(Frozen):
    """The raw intensities that become 0 and 255, one low and one high per channel."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @model_validator(mode="after")
    def _ordered(self) -> IntensityLimits:
        if len(self.low) != len(self.high) or any(h <= lo for lo, h in zip(self.low, self.high, strict=True)):
            raise ValueError("low and high need one number per channel, each high above its low")
        return self


Share = Annotated[float, Field(ge=0, le=1)]


class ChannelIntensities(Frozen):
    """How the pixels of a channel lie in its limits, over a sample of the sites of a plate.

    `smallest` and `largest` are values of the image files. `below` and `above` are the shares of the pixels outside the
    limits, and `used` is the share of the range between the limits that 99.8 % of the pixels span.
    """

    channel: str
    smallest: float
    largest: float
    below: Share
    above: Share
    used: Share

    @property
    def clipped(self) -> float:
        """The share of the pixels that become black or white because they lie outside the limits."""
        return self.below + self.above


class PlateIntensities(Frozen):
    """The pixels of a sample of `sites` of a plate.

    `bits` is the depth that their values need: 8, 10, 12, 14 or 16, whatever the files could hold; null for floats.
    """

    pixel_type: str
    bits: int | None
    sites: int
    channels: tuple[ChannelIntensities, ...]
