"""The plane of two axes: each well by its efficacy (E2) and by its similarity to one of two cell lines (C2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gandl_science.axis.paper import min_max
from gandl_shared.schemas.screen import WellScore
from matplotlib.axes import Axes

from gandl_analysis.figures.e2_plane import PlotScale
from gandl_analysis.figures.marks import DASHES, WellPosition, count_by_role, draw_wells
from gandl_analysis.figures.style import FONT_SIZE, LINE, MUTED, new_figure, style_axes
from gandl_analysis.figures.svg import Drawing
from gandl_analysis.figures.texts import plain
from gandl_analysis.pipeline.result import AxisScores


def e2_c2_plane(wells: Sequence[WellScore], c2: AxisScores, scale: PlotScale = PlotScale.SCORES) -> Drawing | None:
    """Draw all wells that have both scores, or return None where no well has. `c2` is the axis between two cell lines,
    whose `wells` are indices of `wells`: −1 is the first one (the negative group of C2) and +1 the second one."""
    first, second = c2.negative["cell_line"][0], c2.positive["cell_line"][0]
    positions = _positions(wells, c2, scale)
    if not positions:
        return None
    figure = new_figure(5.0, 3.6)
    axes = figure.add_subplot()
    style_axes(axes, grid="both")
    titles = draw_wells(axes, positions, "between")
    _mark_cell_line(axes, -1.0, first)
    _mark_cell_line(axes, 1.0, second)
    axes.set_xlabel(f"E2: efficacy{scale.value} →")
    axes.set_ylabel(f"C2{scale.value}: {plain(first, 18)} … {plain(second, 18)}")
    return Drawing(figure, f"Efficacy against C2 between {first} and {second}: {count_by_role(positions)}.", titles)


def _positions(wells: Sequence[WellScore], c2: AxisScores, scale: PlotScale) -> list[WellPosition]:
    is_min_max = scale is PlotScale.MIN_MAX
    # The paper stretches raw scores; otherwise both axes are in units of their controls.
    pairs = [
        (wells[i], wells[i].on if is_min_max else wells[i].efficacy, y)
        for i, y in zip(c2.wells, c2.on if is_min_max else c2.scaled, strict=True)
    ]
    scored = [(well, x, y) for well, x, y in pairs if x is not None and y is not None]
    across, up = (np.array([row[column] for row in scored], np.float64) for column in (1, 2))
    if is_min_max and scored:
        across, up = min_max(across), min_max(up)
    return [WellPosition(well=row[0], x=float(x), y=float(y)) for row, x, y in zip(scored, across, up, strict=True)]


def _mark_cell_line(axes: Axes, value: float, cell_line: str) -> None:
    """Draw a dashed horizontal line at the mean C2 of a cell line, with its name."""
    axes.axhline(value, color=LINE, linewidth=0.9, linestyle=DASHES, zorder=1)
    axes.annotate(
        plain(cell_line, 24),
        (1.0, value),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=FONT_SIZE - 0.5,
        color=MUTED,
    )
