"""How far apart the controls are, plate by plate: the figure behind Z′."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

from gandl_shared.schemas.screen import WellScore
from matplotlib.axes import Axes

from gandl_analysis.figures.scatter import well_tip
from gandl_analysis.figures.style import (
    FONT_SIZE,
    INK,
    MUTED,
    PAPER,
    ROLE_COLOURS,
    ROLE_MARKERS,
    new_figure,
    plain,
    style_axes,
)
from gandl_analysis.figures.svg import Drawing

_OFFSETS = {"positive_control": 0.17, "negative_control": -0.17}


def control_distributions(wells: Sequence[WellScore], cell_line: str) -> Drawing:
    """Control wells of one cell line by efficacy, a row a plate, with bars of three standard deviations.

    The gap between the bars over the distance of the means is Z′ of the plate; bars that meet mean Z′ ≤ 0.
    """
    shown = [w for w in wells if w.cell_line == cell_line and w.role in _OFFSETS and w.efficacy is not None]
    plates = tuple(dict.fromkeys(w.plate for w in shown))
    row_height = 0.62 if len(plates) <= 6 else 0.36
    figure = new_figure(5.0, 1.1 + row_height * max(len(plates), 1), fitted=True)
    axes = figure.add_subplot()
    style_axes(axes, grid="x")
    tips = {}
    for row, plate in enumerate(plates):
        for role, offset in _OFFSETS.items():
            members = [w for w in shown if w.plate == plate and w.role == role]
            if members:
                gid = f"controls-{row}-{role}"
                _draw_group(axes, members, role, row - offset, gid)
                tips[gid] = tuple(map(well_tip, members))
    _finish(axes, plates)
    return Drawing(figure, f"Efficacy of the control wells of {cell_line}, {len(plates)} plates.", tips)


def _draw_group(axes: Axes, wells: Sequence[WellScore], role: str, height: float, gid: str) -> None:
    values = [w.efficacy for w in wells if w.efficacy is not None]
    centre, spread = fmean(values), 3 * stdev(values) if len(values) > 1 else 0.0
    colour = ROLE_COLOURS[role]
    axes.plot([centre - spread, centre + spread], [height, height], color=colour, linewidth=1.1, zorder=2)
    axes.plot([centre], [height], marker="|", markersize=11, markeredgewidth=1.6, color=INK, zorder=4)
    (line,) = axes.plot(
        values,
        [height + 0.055 * ((k % 3) - 1) for k in range(len(values))],
        linestyle="none",
        marker=ROLE_MARKERS[role],
        markersize=4.0,
        markerfacecolor=colour,
        markeredgecolor=PAPER,
        markeredgewidth=0.4,
        alpha=0.9,
        zorder=3,
    )
    line.set_gid(gid)


def _finish(axes: Axes, plates: Sequence[str]) -> None:
    axes.axvline(0.0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.annotate(
        "threshold",
        (0.0, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        fontsize=FONT_SIZE - 0.5,
        color=MUTED,
    )
    axes.set_yticks(range(len(plates)), [plain(p, 24) for p in plates])
    axes.set_ylim(max(len(plates), 1) - 0.5, -0.5)
    axes.set_xlabel("efficacy (−1 negative, +1 positive control)")
