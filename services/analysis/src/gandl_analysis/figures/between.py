"""Two axes at once: every well by its efficacy (E2) and by which cell line it is like (C2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gandl_shared.schemas.screen import WellScore

from gandl_analysis.figures.scatter import ROLE_ORDER, TIP_LIMIT, draw_role, well_tip
from gandl_analysis.figures.style import (
    FONT_SIZE,
    LINE,
    MUTED,
    ROLE_LABELS,
    new_figure,
    plain,
    style_axes,
)
from gandl_analysis.figures.svg import Drawing


@dataclass(frozen=True)
class PlacedWell:
    """A well at `across` (efficacy) and `up` (-1 the first cell line, +1 the second)."""

    well: WellScore
    across: float
    up: float


def between_scatter(placed: Sequence[PlacedWell], lines: tuple[str, str], *, scaled: bool = False) -> Drawing:
    """Wells in the plane of E2 and C2. `lines` are the first and second cell line; `scaled` says that both axes were
    stretched to -1 … 1, as the paper plots them."""
    figure = new_figure(5.0, 3.6)
    axes = figure.add_subplot()
    style_axes(axes, grid="both")
    tips = {}
    for role in ROLE_ORDER:
        members = [p for p in placed if p.well.role == role]
        if not members:
            continue
        gid = f"between-{role}"
        draw_role(axes, [(p.across, p.up) for p in members], role, gid, rasterized=len(placed) > TIP_LIMIT)
        if len(placed) <= TIP_LIMIT:
            tips[gid] = tuple(well_tip(p.well) for p in members)
    for place, line in zip((-1.0, 1.0), lines, strict=True):
        axes.axhline(place, color=LINE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate(
            plain(line, 24),
            (1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            fontsize=FONT_SIZE - 0.5,
            color=MUTED,
        )
    stretched = ", min-max" if scaled else ""
    axes.set_xlabel(f"E2: efficacy{stretched} →")
    axes.set_ylabel(f"C2{stretched}: {plain(lines[0], 18)} … {plain(lines[1], 18)}")
    counts = ", ".join(f"{sum(p.well.role == r for p in placed)} {ROLE_LABELS[r]} wells" for r in reversed(ROLE_ORDER))
    return Drawing(figure, f"Efficacy against C2 between {lines[0]} and {lines[1]}: {counts}.", tips)
