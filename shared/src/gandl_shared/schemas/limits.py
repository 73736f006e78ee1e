"""The intensity limits of the channels of an image."""

from __future__ import annotations

from pydantic import model_validator

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
