"""Which of several images of one site and channel a screen takes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gandl_shared.schemas.base import Frozen

Text = Annotated[str, Field(min_length=1, max_length=200)]


class Reduction(StrEnum):
    """How the focal planes of a channel become one image."""

    NONE = "none"
    MAX = "max"
    FOCUS = "focus"


class ImageChoice(Frozen):
    """The choices between several files of one site and channel. What is not chosen and not unique is refused.

    `z` is the number of a focal plane, `projection` for the one that the instrument made, `max` for the maximum over
    the planes, or `focus` for the plane with the sharpest structure, per site and channel.
    """

    z: Text | None = Field(default=None, description="focal plane, or projection, max or focus")
    timepoint: Text | None = None
    measurement: Text | None = None
    subfolder: Annotated[str, Field(min_length=1, max_length=4096)] | None = None

    @property
    def reduction(self) -> Reduction:
        """How focal planes are reduced; NONE where one of them is taken."""
        return Reduction(self.z.lower()) if self.z and self.z.lower() in ("max", "focus") else Reduction.NONE

    @property
    def plane(self) -> str | None:
        """The plane to take, or None."""
        return self.z if self.reduction is Reduction.NONE else None
