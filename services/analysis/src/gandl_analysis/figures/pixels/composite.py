"""Grey channels as one picture in colours, and several small pictures as one large one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from gandl_shared.errors import Malformed
from numpy.typing import NDArray

from gandl_analysis.figures.pixels.colours import RGB, Colour, Rgb

Uint8 = NDArray[np.uint8]
GAP = 24
"""The grey level of a cell of a sprite in which there is no picture."""


def composite(field: Uint8, colours: Sequence[Rgb]) -> Uint8:
    """Return channels [C, H, W] as a picture: [H, W] of one grey channel, else [H, W, 3].

    Light adds up as on a screen: the sum of the channels, each times its colour (one for each), cut off at 255.
    """
    if len(field) != len(colours):
        raise Malformed(f"the picture has {len(field)} channels, and {len(colours)} colours were given")
    if len(field) == 1 and colours[0] == RGB[Colour.GREY]:
        grey: Uint8 = field[0]
        return grey
    picture = np.empty((*field.shape[1:], 3), np.uint8)
    for part in range(3):
        light = np.zeros(field.shape[1:], np.uint16)
        for channel, colour in zip(field, colours, strict=True):
            # Most colours are made of parts that are there in full or not at all, and these need no arithmetic.
            if colour[part] == 255:
                light += channel
            elif colour[part]:
                light += np.rint(np.arange(256) * colour[part] / 255).astype(np.uint16)[channel]
        picture[:, :, part] = np.minimum(light, 255)
    return picture


def sprite(
    fields: Mapping[tuple[int, int], Uint8], colours: Sequence[Rgb], *, rows: int, columns: int, edge: int
) -> Uint8:
    """Return a grid [rows · edge, columns · edge, 3] with each field [C, H, W] in the middle of its cell.

    The keys are row and column from 0. A field is at most `edge` pixels high and wide; a cell without one is dark.
    """
    grid = np.zeros((len(colours), rows * edge, columns * edge), np.uint8)
    is_empty = np.ones(grid.shape[1:], bool)
    for (row, column), field in fields.items():
        height, width = field.shape[1:]
        top, left = row * edge + (edge - height) // 2, column * edge + (edge - width) // 2
        grid[:, top : top + height, left : left + width] = field
        is_empty[top : top + height, left : left + width] = False
    # The colours of all fields at once take a third of the time of one after the other.
    picture = composite(grid, colours)
    coloured = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    coloured[is_empty] = GAP
    return coloured
