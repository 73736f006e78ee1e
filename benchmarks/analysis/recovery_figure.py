"""The figure of the recovery benchmark: estimated against true EC50, one mark per compound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gandl.simulate.truth import Recovery
from gandl_analysis.figures.style import ACTIVE, INK, LINE, MUTED, NEGATIVE, POSITIVE, new_figure, style_axes
from gandl_shared.schemas.curve import Relation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

LOOKS = {
    "rescue": (POSITIVE, "o"),
    "partial rescue": (NEGATIVE, "D"),
    "rescue then toxic": (ACTIVE, "s"),
    "rescue beyond the highest dose": (INK, "o"),
    "rescue below the lowest dose": (INK, "D"),
}
LOW, HIGH = 3e-4, 300.0


def recovery_figure(recoveries: Sequence[Recovery], doses: Sequence[float]) -> Figure:
    """Draw EC50s with their 95 % intervals, and bounds as triangles; the band is a factor of 2 about the truth."""
    figure = new_figure(6.0, 5.2)
    axes = figure.add_subplot()
    style_axes(axes, grid="both")
    axes.set(xscale="log", yscale="log", xlim=(LOW, HIGH), ylim=(LOW, HIGH))
    axes.set(xlabel="true EC50, µM", ylabel="estimated EC50 with 95 % interval, µM")
    identity = np.array([LOW, HIGH])
    axes.fill_between(identity, identity / 2, identity * 2, color=LINE, alpha=0.6, linewidth=0)
    axes.plot(identity, identity, color=MUTED, linewidth=0.9)
    for end in (doses[0], doses[-1]):
        axes.axvline(end, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.axhline(end, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    for kind, (colour, marker) in LOOKS.items():
        _draw(axes, [j for j in recoveries if j.truth.compound.rsplit(" ", 1)[0] == kind], kind, colour, marker)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _draw(axes: Axes, recoveries: Sequence[Recovery], kind: str, colour: str, marker: str) -> None:
    reported = [(j.truth.ec50_um or np.nan, j.curve.ec50) for j in recoveries if j.curve.ec50.value is not None]
    for relation, mark in ((Relation.EQUAL, marker), (Relation.ABOVE, "^"), (Relation.BELOW, "v")):
        points = [(t, e.value or np.nan, e.low or LOW, e.high or HIGH) for t, e in reported if e.relation is relation]
        if points:
            x, y, low, high = np.array(points).T
            filled = colour if relation is Relation.EQUAL else "none"
            axes.plot(x, y, mark, color=colour, markersize=4.5, markerfacecolor=filled, linestyle="none")
            if relation is Relation.EQUAL:
                axes.errorbar(x, y, (y - low, high - y), fmt="none", ecolor=colour, elinewidth=0.8, alpha=0.7)
    axes.plot([], [], marker, color=colour, markersize=4.5, linestyle="none", label=kind)
