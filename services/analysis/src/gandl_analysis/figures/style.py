"""How every figure looks: colours that colour-blind readers can tell apart, one font size, thin frames.

Each named colour is one token of the SVG, so that a page can replace it by its own colour (light, dark or print): see
`svg.inline_svg`. Roles and verdicts differ by the shape of their marks or by words too, never by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
from gandl_shared.schemas.vocabulary import Colour, Role
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

INK: Final = "#1c2024"
MUTED: Final = "#62676f"
LINE: Final = "#d9dce1"
PAPER: Final = "#fefefe"
POSITIVE: Final = "#0072b2"
NEGATIVE: Final = "#c4501b"
TREATMENT: Final = "#7a808a"
ACTIVE: Final = "#00805c"
TOXIC: Final = "#a3267c"

VARIABLES: Final[Mapping[str, str]] = {
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    PAPER: "--card",
    POSITIVE: "--positive",
    NEGATIVE: "--negative",
    TREATMENT: "--treatment",
    ACTIVE: "--active",
    TOXIC: "--toxic",
}
"""The CSS variable of a page that replaces a colour."""

PALETTE: Final[Mapping[Colour, str]] = {
    Colour.ACTIVE: ACTIVE,
    Colour.TOXIC: TOXIC,
    Colour.UNDETERMINED: MUTED,
    Colour.INACTIVE: MUTED,
    Colour.POSITIVE: POSITIVE,
    Colour.NEGATIVE: NEGATIVE,
    Colour.TREATMENT: TREATMENT,
    Colour.MUTED: MUTED,
}
"""The colours of the vocabulary in figures; what is not decided or has no effect stays in the background."""

ROLE_MARKERS: Final[Mapping[Role, str]] = {Role.POSITIVE: "s", Role.NEGATIVE: "D", Role.TREATMENT: "o"}

FONT_SIZE: Final = 9.5
_COLOUR_STOPS: Final = (
    (186, 82, 32),
    (226, 137, 86),
    (243, 214, 196),
    (238, 239, 241),
    (190, 216, 234),
    (84, 160, 207),
    (0, 92, 150),
)
"""RGB at evenly spaced efficacies from −1 (rust) over 0 (neutral) to +1 (blue)."""


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of `width` × `height` inches without background, with margins for ticks and axis labels of
    ordinary length."""
    figure = _without_background(Figure(figsize=(width, height)))
    # In inches, since labels have the same size in large and small figures.
    left, bottom, right, top = 0.62, 0.5, 0.12, 0.24
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)
    return figure


def new_fitted_figure(width: float, height: float) -> Figure:
    """Return an empty figure whose margins fit labels of any length. It takes twice the time of `new_figure`, because
    matplotlib measures the labels before it draws."""
    return _without_background(Figure(figsize=(width, height), layout="constrained"))


def _without_background(figure: Figure) -> Figure:
    figure.patch.set_alpha(0.0)
    return figure


def style_axes(axes: Axes, *, grid: Literal["x", "y", "both"] | None = None) -> None:
    """Draw a thin frame at the left and bottom, small muted ticks, and grid lines along the named axes."""
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    axes.tick_params(colors=MUTED, labelsize=FONT_SIZE, width=0.8, length=3.0)
    axes.xaxis.label.set(color=INK, fontsize=FONT_SIZE)
    axes.yaxis.label.set(color=INK, fontsize=FONT_SIZE)
    axes.title.set(color=INK, fontsize=FONT_SIZE + 1, fontweight="bold")
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(visible=True, axis=grid, color=LINE, linewidth=0.7)


def efficacy_colour(efficacy: float) -> str:
    """Return the hexadecimal colour of an efficacy: rust at −1, neutral at 0, blue at +1, and no change beyond."""
    return ramp_colour(_COLOUR_STOPS, (min(max(efficacy, -1.0), 1.0) + 1.0) / 2.0)


def ramp_colour(stops: Sequence[tuple[int, int, int]], share: float) -> str:
    """Return the hexadecimal colour at a share from 0 to 1 of the way along evenly spaced colours (RGB).

    It is called for every well of a screen, and array functions for three numbers would take ten times as long."""
    position = share * (len(stops) - 1)
    index = min(int(position), len(stops) - 2)
    part = position - index
    rgb = (round(low + (high - low) * part) for low, high in zip(stops[index], stops[index + 1], strict=True))
    return "#" + "".join(f"{value:02x}" for value in rgb)


def contrasting(colour: str) -> str:
    """Return near-black or white, whichever reads better on `colour` by its relative luminance (WCAG 2.1, 2018)."""
    channels: NDArray[np.float64] = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    # Black and white have equal contrast at a luminance of √(1.05 · 0.05) − 0.05 = 0.18.
    return "#101418" if float(linear @ np.array([0.2126, 0.7152, 0.0722])) > 0.18 else "#ffffff"
