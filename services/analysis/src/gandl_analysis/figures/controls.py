"""How far apart the controls are on each plate: the figure behind Z′."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gandl_science.assay.separation import three_sigma_range
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Role
from matplotlib.axes import Axes

from gandl_analysis.figures.marks import mark_value, well_title
from gandl_analysis.figures.style import INK, PALETTE, PAPER, ROLE_MARKERS, new_fitted_figure, style_axes
from gandl_analysis.figures.svg import Drawing
from gandl_analysis.figures.texts import plain

_OFFSETS = {Role.POSITIVE: -0.17, Role.NEGATIVE: 0.17}
"""The distance of a role from the middle of its plate, so that two groups that overlap can both be read."""
_JITTER = 0.055
_MAX_TALL_PLATES = 6


def control_distributions(wells: Sequence[WellScore], cell_line: str) -> Drawing:
    """Draw the control wells of one cell line by efficacy, one row per plate, with bars of the mean ± three standard
    deviations.

    Z′ of a plate is the gap between its bars divided by the distance of its means, so that bars that meet mean Z′ ≤ 0.
    """
    controls = [w for w in wells if w.cell_line == cell_line and w.role.is_control and w.efficacy is not None]
    plates = tuple(dict.fromkeys(well.plate for well in controls))
    row_height = 0.62 if len(plates) <= _MAX_TALL_PLATES else 0.36
    figure = new_fitted_figure(5.0, 1.1 + row_height * max(len(plates), 1))
    axes = figure.add_subplot()
    style_axes(axes, grid="x")
    titles = {}
    for number, plate in enumerate(plates):
        for role, offset in _OFFSETS.items():
            members = [well for well in controls if well.plate == plate and well.role is role]
            if members:
                gid = f"controls-{number}-{role}"
                _draw_group(axes, members, number + offset, gid)
                titles[gid] = tuple(map(well_title, members))
    _label(axes, plates)
    return Drawing(figure, f"Efficacy of the control wells of {cell_line}, {len(plates)} plates.", titles)


def _draw_group(axes: Axes, wells: Sequence[WellScore], height: float, gid: str) -> None:
    """Draw the wells of one role on one plate, with the bar of their three standard deviations."""
    efficacies = np.array([well.efficacy for well in wells], np.float64)
    bar, role = three_sigma_range(efficacies), wells[0].role
    colour = PALETTE[role.colour]
    axes.plot([bar.low, bar.high], [height, height], color=colour, linewidth=1.1, zorder=2)
    axes.plot([bar.mean], [height], marker="|", markersize=11, markeredgewidth=1.6, color=INK, zorder=4)
    # Three heights in turn keep wells of equal efficacy apart; a random jitter would change the bytes of the file.
    heights = height + _JITTER * (np.arange(len(wells)) % 3 - 1)
    (artist,) = axes.plot(
        efficacies,
        heights,
        linestyle="none",
        marker=ROLE_MARKERS[role],
        markersize=4.0,
        markerfacecolor=colour,
        markeredgecolor=PAPER,
        markeredgewidth=0.4,
        alpha=0.9,
        zorder=3,
    )
    artist.set_gid(gid)


def _label(axes: Axes, plates: Sequence[str]) -> None:
    mark_value(axes, 0.0, "efficacy 0")
    axes.set_yticks(range(len(plates)), [plain(plate, 24) for plate in plates])
    axes.set_ylim(max(len(plates), 1) - 0.5, -0.5)
    axes.set_xlabel("efficacy (−1 negative, +1 positive control)")
