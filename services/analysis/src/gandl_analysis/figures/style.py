"""How every figure looks: colours that stay apart for colour-blind readers, one size of type, thin frames.

Each named colour is a whole token in the SVG, so that a page can put its own in place (light, dark, print): see
`svg.themed`. Roles and verdicts differ in marker shape too, never in colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
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
"""Colour → the CSS variable that stands for it on a page."""

ROLE_COLOURS: Final[Mapping[str, str]] = {
    "positive_control": POSITIVE,
    "negative_control": NEGATIVE,
    "treatment": TREATMENT,
}
ROLE_MARKERS: Final[Mapping[str, str]] = {"positive_control": "s", "negative_control": "D", "treatment": "o"}
ROLE_LABELS: Final[Mapping[str, str]] = {
    "positive_control": "positive control",
    "negative_control": "negative control",
    "treatment": "treatment",
}

FONT_SIZE: Final = 9.5
_STOPS: Final = np.array(
    [[186, 82, 32], [226, 137, 86], [243, 214, 196], [238, 239, 241], [190, 216, 234], [84, 160, 207], [0, 92, 150]]
)


def new_figure(width: float, height: float, *, fitted: bool = False) -> Figure:
    """An empty figure of `width` × `height` inches without background.

    Margins leave room for ticks and axis labels of ordinary length. `fitted` measures the labels instead, for names of
    any length; it costs as much as drawing the figure once more.
    """
    figure = Figure(figsize=(width, height), layout="constrained" if fitted else None)
    figure.patch.set_alpha(0.0)
    if not fitted:
        left, bottom, right, top = 0.62, 0.5, 0.12, 0.24
        figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)
    return figure


def style_axes(axes: Axes, *, grid: str | None = None) -> None:
    """Thin left and bottom frame, small muted ticks, `grid` lines along 'x', 'y', 'both' or none."""
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
        axes.grid(visible=True, axis=grid, color=LINE, linewidth=0.7)  # type: ignore[arg-type]


def plain(text: str, limit: int = 60) -> str:
    """User text for a label: no mathematics from a pair of `$`, no line breaks, cut with an ellipsis at `limit`."""
    one_line = " ".join(text.split())
    cut = one_line if len(one_line) <= limit else one_line[: limit - 1] + "…"
    return cut.replace("$", r"\$")


def efficacy_colour(efficacy: float) -> str:
    """Hex colour of an efficacy: rust at −1, neutral at 0, blue at +1, clipped beyond."""
    place = (min(max(efficacy, -1.0), 1.0) + 1.0) / 2.0 * (len(_STOPS) - 1)
    rgb = [np.interp(place, np.arange(len(_STOPS)), _STOPS[:, channel]) for channel in range(3)]
    return "#" + "".join(f"{round(float(value)):02x}" for value in rgb)


def contrasting(colour: str) -> str:
    """Near-black or white, whichever reads better on `colour` (WCAG relative luminance)."""
    channels: NDArray[np.float64] = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "#101418" if float(linear @ np.array([0.2126, 0.7152, 0.0722])) > 0.18 else "#ffffff"
