"""What a client asks of a picture: which channels in which colours, which part, how large, and under which limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gandl_shared.errors import Invalid, Problem

from gandl_analysis.figures.pixels.colours import RGB, Colour, PictureChannel, Rgb, read_colour

COMPOSITE = "composite"
SCREEN = "screen"
"""The word for the intensity limits of the plate, under which its images were embedded."""


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of an image: its upper left corner and its size in pixels of the image file."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class ChannelView:
    """Channels of a screen and the colour of each."""

    channels: tuple[PictureChannel, ...]
    colours: tuple[Rgb, ...]

    @property
    def indices(self) -> list[int]:
        """The numbers of the channels from 0."""
        return [channel.number - 1 for channel in self.channels]

    @property
    def key(self) -> str:
        """A text that differs for different views."""
        return repr([(channel.number, colour) for channel, colour in zip(self.channels, self.colours, strict=True)])


def view_of(channels: Sequence[PictureChannel], names: Sequence[str], colours: Sequence[str] = ()) -> ChannelView:
    """Return the view of channels by number, name or stain; without names, or `composite`, of all.

    One channel alone is grey, and several have the colours of their stains, unless `colours` gives one for each.
    Raises Invalid naming the channels of the screen.
    """
    if not names or list(names) == [COMPOSITE]:
        selection = tuple(channels)
    else:
        selection = tuple(dict.fromkeys(_channel(channels, name) for name in names))
    if colours and len(colours) != len(selection):
        detail = f"{len(colours)} colours for {len(selection)} channels; give one colour for each channel, or none"
        raise Invalid(detail, problems=[Problem(detail, field="colour")])
    if colours:
        return ChannelView(channels=selection, colours=tuple(map(read_colour, colours)))
    if len(selection) == 1:
        return ChannelView(channels=selection, colours=(RGB[Colour.GREY],))
    return ChannelView(channels=selection, colours=tuple(channel.colour for channel in selection))


def read_crop(text: str) -> Crop:
    """Return the part `x,y,width,height`. Raises Invalid."""
    parts = text.split(",")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        x, y, width, height = map(int, parts)
        if width and height:
            return Crop(x=x, y=y, width=width, height=height)
    detail = f"'{text[:60]}' is no part of an image; write x,y,width,height in pixels, such as crop=0,0,256,256"
    raise Invalid(detail, problems=[Problem(detail, field="crop")])


def read_limits(text: str, channels: int) -> tuple[tuple[float, float], ...] | None:
    """Return (low, high) of each of the channels from `low,high;low,high`; None for the limits of the screen.

    Raises Invalid.
    """
    if text == SCREEN:
        return None
    pairs = [_pair(part) for part in text.split(";")]
    limits = tuple(pair for pair in pairs if pair is not None)
    if len(limits) == len(pairs) == channels:
        return limits
    detail = (
        f"'{text[:60]}' are no limits of {channels} channels; write low,high for each channel in its order, separated "
        f"by ';', each high above its low, or {SCREEN}"
    )
    raise Invalid(detail, problems=[Problem(detail, field="limits")])


def _pair(text: str) -> tuple[float, float] | None:
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        return None
    return (low, high) if math.isfinite(low) and math.isfinite(high) and low < high else None


def _channel(channels: Sequence[PictureChannel], text: str) -> PictureChannel:
    name = text.strip().casefold()
    for channel in channels:
        if name and name in (str(channel.number), channel.name.casefold(), (channel.stain or "").casefold()):
            return channel
    names = ", ".join(f"{channel.number} ({channel.name})" for channel in channels)
    detail = f"there is no channel '{text[:60]}'; the channels of this screen are {names}, or {COMPOSITE} for all"
    raise Invalid(detail, problems=[Problem(detail, field="channel")])
