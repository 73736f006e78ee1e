"""Which of several images of one site and channel a screen takes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gandl_shared.schemas.base import Frozen

Choice = Annotated[str, Field(min_length=1, max_length=200, coerce_numbers_to_str=True)]
"""The number of a plane, time point or measurement, or a word; a JSON number is taken too."""


class Reduction(StrEnum):
    """How the focal planes of a channel become one image."""

    NONE = "none"
    MAX = "max"
    FOCUS = "focus"


class MissingChannels(StrEnum):
    """What happens to a field of view that lacks a channel: the screen is refused, or the field is parked."""

    REFUSE = "refuse"
    SKIP = "skip"


class ImageChoice(Frozen):
    """The choices between several files of one site and channel. What is not chosen and not unique is refused.

    `z` is the number of a focal plane, `projection` for the one that the instrument made, `max` for the maximum over
    the planes, or `focus` for the plane with the sharpest structure, per site and channel. With `missing` as skip, a
    field that lacks a channel is parked. With `mixed_sizes`, wells of another image size are accepted, which is right
    for images that were cropped and wrong for images of another magnification.
    """

    z: Choice | None = Field(default=None, description="focal plane, or projection, max or focus")
    timepoint: Choice | None = None
    measurement: Choice | None = None
    subfolder: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    missing: MissingChannels = MissingChannels.REFUSE
    mixed_sizes: bool = Field(default=False, description="accept wells whose images have another size in pixels")

    @property
    def reduction(self) -> Reduction:
        """How focal planes are reduced; NONE where one of them is taken."""
        return Reduction(self.z.lower()) if self.z and self.z.lower() in ("max", "focus") else Reduction.NONE

    @property
    def plane(self) -> str | None:
        """The plane to take, or None."""
        return self.z if self.reduction is Reduction.NONE else None
