"""Options of the command line that say how image files become images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer
from gandl_shared.errors import BadInput
from gandl_shared.schemas.choice import ImageChoice, MissingChannels

from gandl.screening.option_groups import with_options

AllowClipping = Annotated[
    bool,
    typer.Option(
        "--allow-clipping",
        help="Go on where the model's limits do not fit the images: more than 5 % of a channel lie outside of them, or "
        "no channel uses 5 % of its range.",
    ),
]

LimitSource = Literal["plate", "card"]
"""Whose intensity limits are used: percentiles of each plate, or the limits of the model card."""


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """The options as the user gave them; None stands for an option that was not given."""

    pattern: Annotated[
        str | None, typer.Option(help="Pattern of the file names, or the name of a preset, in place of the layout.")
    ] = None
    channels: Annotated[
        str | None, typer.Option(help="Channels to use, in the order of the model, such as 1,2,4 or GFP,DNA.")
    ] = None
    z: Annotated[
        str | None,
        typer.Option(help="Focal plane: a number, the instrument's `projection`, `max` of all, or the one in `focus`."),
    ] = None
    timepoint: Annotated[str | None, typer.Option(help="Number of the time point, where there are several.")] = None
    measurement: Annotated[
        str | None, typer.Option(help="Number of the measurement, where a plate was measured more than once.")
    ] = None
    subfolder: Annotated[str | None, typer.Option(help="Take the images below this folder only.")] = None
    missing: Annotated[
        MissingChannels, typer.Option(help="A field that lacks a channel: refuse the screen, or skip the field.")
    ] = MissingChannels.REFUSE
    mixed_sizes: Annotated[
        bool, typer.Option("--mixed-sizes", help="Accept wells of another image size, which were only cropped.")
    ] = False

    @property
    def channel_list(self) -> tuple[str, ...] | None:
        """The channels, or None where the names of the model decide."""
        return tuple(name.strip() for name in self.channels.split(",")) if self.channels else None

    @property
    def choice(self) -> ImageChoice:
        """The choice between several images of one site and channel."""
        return ImageChoice(
            z=self.z or None,
            timepoint=self.timepoint or None,
            measurement=self.measurement or None,
            subfolder=self.subfolder or None,
            missing=self.missing,
            mixed_sizes=self.mixed_sizes,
        )


with_image_options = with_options("image", ImageOptions)
"""Give a command these options in the place of its parameter `image`."""


def limit_source(limits: str) -> LimitSource:
    """Return the source of the intensity limits. Raises BadInput for another word."""
    match limits:
        case "plate" | "card":
            return limits
        case _:
            raise BadInput(f"--limits {limits} is unknown; use card or plate")
