"""Found against true EC50, one mark a compound: the figure of benchmarks/recovery.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gandl.simulate.truth import Recovery
from gandl_analysis.figures.style import ACTIVE, INK, LINE, MUTED, NEGATIVE, POSITIVE, new_figure, style_axes
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
    """EC50s told as `=` with their 95 % intervals, `>` and `<` as arrows; the band is a factor of 2 about the truth."""
    figure = new_figure(6.0, 5.2)
    axes = figure.add_subplot()
    style_axes(axes, grid="both")
    axes.set(xscale="log", yscale="log", xlim=(LOW, HIGH), ylim=(LOW, HIGH))
    axes.set(xlabel="true EC50, µM", ylabel="found EC50 with 95 % interval, µM")
    line = np.array([LOW, HIGH])
    axes.fill_between(line, line / 2, line * 2, color=LINE, alpha=0.6, linewidth=0)
    axes.plot(line, line, color=MUTED, linewidth=0.9)
    for end in (doses[0], doses[-1]):
        axes.axvline(end, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.axhline(end, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    for kind, (colour, marker) in LOOKS.items():
        _draw(axes, [j for j in recoveries if j.truth.compound.rsplit(" ", 1)[0] == kind], kind, colour, marker)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _draw(axes: Axes, recoveries: Sequence[Recovery], kind: str, colour: str, marker: str) -> None:
    found = [(j.truth.ec50_um or np.nan, j.curve.ec50) for j in recoveries if j.curve.ec50.value is not None]
    for relation, mark in (("=", marker), (">", "^"), ("<", "v")):
        told = [(t, e.value or np.nan, e.low or LOW, e.high or HIGH) for t, e in found if e.relation == relation]
        if told:
            x, y, low, high = np.array(told).T
            filled = colour if relation == "=" else "none"
            axes.plot(x, y, mark, color=colour, markersize=4.5, markerfacecolor=filled, linestyle="none")
            if relation == "=":
                axes.errorbar(x, y, (y - low, high - y), fmt="none", ecolor=colour, elinewidth=0.8, alpha=0.7)
    axes.plot([], [], marker, color=colour, markersize=4.5, linestyle="none", label=kind)
