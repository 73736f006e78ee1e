"""The E2 plane: each well by its score along the efficacy axis (on) and by its score across it (off)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from gandl_science.axis.anchors import control_anchors
from gandl_science.axis.paper import min_max
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Role
from matplotlib.axes import Axes

from gandl_analysis.figures.marks import WellPosition, count_by_role, draw_wells, mark_value
from gandl_analysis.figures.style import INK, new_figure, style_axes
from gandl_analysis.figures.svg import Drawing


class PlotScale(Enum):
    """How the coordinates of a plane are drawn; the value is what an axis label adds."""

    SCORES = ""
    MIN_MAX = ", min-max"
    """From −1 for the smallest to 1 for the largest of the screen, as the paper plots them."""


def e2_plane(wells: Sequence[WellScore], cell_line: str, scale: PlotScale = PlotScale.SCORES) -> Drawing:
    """Draw the wells of one cell line: controls as squares and diamonds, treatments as circles. `wells` are those of
    the whole screen, which PlotScale.MIN_MAX needs. Wells without scores are left out."""
    positions = [p for p in _positions(wells, scale) if p.well.cell_line == cell_line]
    figure = new_figure(5.0, 3.6)
    axes = figure.add_subplot()
    style_axes(axes, grid="both")
    titles = draw_wells(axes, positions, "wells")
    _mark_anchors(axes, positions)
    axes.set_xlabel(f"on: score along the control axis{scale.value} →")
    axes.set_ylabel(f"off: score across it{scale.value}")
    return Drawing(figure, f"E2 plane of {cell_line}: {count_by_role(positions)}.", titles)


def _positions(wells: Sequence[WellScore], scale: PlotScale) -> list[WellPosition]:
    scored = [(well, well.on, well.off) for well in wells if well.on is not None and well.off is not None]
    on, off = (np.array([row[column] for row in scored], np.float64) for column in (1, 2))
    # The range is that of all cell lines, so that their planes can be compared.
    if scale is PlotScale.MIN_MAX and scored:
        on, off = min_max(on), min_max(off)
    return [WellPosition(well=row[0], x=float(x), y=float(y)) for row, x, y in zip(scored, on, off, strict=True)]


def _mark_anchors(axes: Axes, positions: Sequence[WellPosition]) -> None:
    """Mark the efficacies −1, 0 and +1: the means of the controls and the point between them."""
    sides = [(p.well.role is Role.POSITIVE) - (p.well.role is Role.NEGATIVE) for p in positions]
    if not {1, -1} <= set(sides):
        return
    # The plane may be stretched, so that the means are those of the drawn positions and not the stored anchors.
    anchors = control_anchors(np.array([position.x for position in positions]), np.array(sides, np.intp))
    mark_value(axes, anchors.negative, "−1")
    mark_value(axes, (anchors.negative + anchors.positive) / 2, "efficacy 0", INK)
    mark_value(axes, anchors.positive, "+1")
