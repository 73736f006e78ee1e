"""The colour in which each channel is shown: by its stain, so that the same stain looks the same in every screen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gandl_shared.errors import Invalid, Problem

Rgb = tuple[int, int, int]


class Colour(StrEnum):
    """The colours that have a name."""

    BLUE = "blue"
    GREEN = "green"
    RED = "red"
    YELLOW = "yellow"
    CYAN = "cyan"
    MAGENTA = "magenta"
    ORANGE = "orange"
    GREY = "grey"


RGB: Mapping[Colour, Rgb] = {
    # Pure blue is hardly seen on black, so it is mixed with some green.
    Colour.BLUE: (40, 90, 255),
    Colour.GREEN: (0, 255, 0),
    Colour.RED: (255, 40, 40),
    Colour.YELLOW: (255, 230, 0),
    Colour.CYAN: (0, 230, 255),
    Colour.MAGENTA: (255, 0, 255),
    Colour.ORANGE: (255, 140, 0),
    Colour.GREY: (255, 255, 255),
}
STAINS: Mapping[str, Colour] = {
    **dict.fromkeys(("dapi", "hoechst", "dna", "nuclei", "nucleus", "nuclear", "draq", "draq5", "h2b"), Colour.BLUE),
    **dict.fromkeys(("gfp", "egfp", "fitc", "alexa488", "488", "er", "cona", "concanavalin", "tubulin"), Colour.GREEN),
    **dict.fromkeys(("actin", "agp", "phalloidin", "tritc", "rhodamine", "mcherry", "rfp", "568", "594"), Colour.RED),
    **dict.fromkeys(("golgi", "wga", "membrane", "yfp", "cy3", "555"), Colour.YELLOW),
    **dict.fromkeys(("rna", "syto", "syto14", "nucleoli", "cfp"), Colour.CYAN),
    **dict.fromkeys(("mito", "mitochondria", "mitotracker", "cy5", "647"), Colour.MAGENTA),
    **dict.fromkeys(("brightfield", "bf", "phase", "transmission", "dic"), Colour.GREY),
}
"""The colour of each stain, by words of its name: the usual ones of fluorescence and of Cell Painting. docs/pictures.md
shows the same table."""
_ORDER = (Colour.GREEN, Colour.MAGENTA, Colour.BLUE, Colour.YELLOW, Colour.CYAN, Colour.RED, Colour.ORANGE)
"""Colours for channels of unknown stain, in this order."""
_WORD = re.compile(r"[a-z]+[0-9]*|[0-9]+")
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")


@dataclass(frozen=True, kw_only=True)
class PictureChannel:
    """A channel of a screen: its number from 1 in the order of the model, its name, its stain and its colour."""

    number: int
    name: str
    stain: str | None
    colour: Rgb


def channel_colours(channels: Sequence[tuple[str, str | None]]) -> tuple[Rgb, ...]:
    """Return the colour of each channel (name, stain). Two channels of a screen never share a colour by themselves."""
    free = list(_ORDER)
    colours: dict[int, Colour] = {}
    for number, (name, stain) in enumerate(channels):
        colour = stain_colour(stain or "") or stain_colour(name)
        if colour is not None and colour not in colours.values():
            colours[number] = colour
            free = [other for other in free if other is not colour]
    for number in range(len(channels)):
        if number not in colours:
            colours[number] = free.pop(0) if free else Colour.GREY
    return tuple(RGB[colours[number]] for number in range(len(channels)))


def stain_colour(text: str) -> Colour | None:
    """Return the colour of the first word of a name that STAINS knows; None if it knows none."""
    return next((STAINS[word] for word in _WORD.findall(text.lower()) if word in STAINS), None)


def read_colour(text: str) -> Rgb:
    """Return a colour by its name or by six hexadecimal digits. Raises Invalid."""
    name = text.strip().lower()
    if name in Colour.__members__.values():
        return RGB[Colour(name)]
    match = _HEX.fullmatch(name)
    if match is None:
        names = ", ".join(Colour)
        detail = f"'{text[:40]}' is no colour; write one of {names}, or six hexadecimal digits such as ff8c00"
        raise Invalid(detail, problems=[Problem(detail, field="colour")])
    digits = match[1]
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def hex_colour(colour: Rgb) -> str:
    """Return a colour as CSS writes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
