"""One dose-response curve as a figure: wells, dose means, the fit, where its EC50 lies, where cells look poisoned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from gandl_shared.schemas.curve import Curve, CurveLocation, CurvePoint
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from matplotlib.transforms import blended_transform_factory

from gandl_analysis.figures.style import (
    ACTIVE,
    FONT_SIZE,
    INK,
    MUTED,
    PAPER,
    POSITIVE,
    TOXIC,
    TREATMENT,
    new_figure,
    plain,
    style_axes,
)
from gandl_analysis.figures.svg import to_svg

__all__ = ["dose_response_figure", "ec50_text", "to_svg"]

_VERDICT_COLOURS = {"active": ACTIVE, "active_biphasic": ACTIVE, "toxic": TOXIC}
_VERDICT_WORDS = {
    "active": "active",
    "active_biphasic": "active, then falling",
    "inactive": "inactive",
    "toxic": "toxic",
    "undetermined": "undetermined",
}
_LEFT = 0.72
_ZERO_GAP = 0.6
_LIGHT_BELOW = 0.999


def dose_response_figure(
    curve: Curve,
    *,
    response_label: str = "Efficacy",
    midpoint: float | None = 0.0,
    size: tuple[float, float] = (4.6, 3.2),
) -> Figure:
    """The figure of a curve, `size` in inches; equal curves give equal bytes through `to_svg`.

    Small circles are wells (hollow: downweighted, crosses: excluded), large dots with bars the dose means with their
    bootstrap interval, the band the EC50's interval (fading to the open side's edge), the dashed line the
    `midpoint` of the controls (None: not known, no line). A dose of zero stands apart at the left.
    """
    figure = new_figure(*size)
    figure.subplots_adjust(left=_LEFT / size[0], top=1 - 0.52 / size[1])
    axes = figure.add_subplot()
    style_axes(axes)
    scale = _DoseAxis(curve)
    if midpoint is not None:
        axes.axhline(midpoint, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    _toxic_region(axes, curve, scale)
    _ec50_band(axes, curve, scale)
    _wells(axes, curve.points, scale)
    _dose_means(axes, curve, scale)
    _fit(axes, curve)
    scale.apply(axes, curve.ec50.unit)
    axes.set_ylabel(response_label)
    axes.yaxis.get_offset_text().set_horizontalalignment("right")  # "1e9" beside the headline, not under it
    _headline(figure, curve, size)
    return figure


class _DoseAxis:
    """The logarithmic dose axis with a place for a dose of zero."""

    def __init__(self, curve: Curve) -> None:
        doses = [p.concentration for p in curve.points if p.concentration is not None]
        positive = sorted({c for c in doses if c > 0}) or [1.0]
        step = min((math.log10(b / a) for a, b in pairwise(positive)), default=0.5)
        pad = min(max(0.5 * step, 0.12), 0.3)
        self.has_zero = any(c == 0 for c in doses)
        self.zero_at = positive[0] / 10 ** (_ZERO_GAP + pad)
        self.low = (self.zero_at if self.has_zero else positive[0]) / 10**pad
        self.high = positive[-1] * 10**pad
        self.first, self.last = positive[0], positive[-1]

    def place(self, concentration: float) -> float:
        """Where a concentration is drawn."""
        return concentration if concentration > 0 else self.zero_at

    def apply(self, axes: Axes, unit: str) -> None:
        axes.set_xscale("log")
        axes.set_xlim(self.low, self.high)
        decades = range(math.ceil(math.log10(self.first) - 0.3), math.floor(math.log10(self.high)) + 1)
        every = max(1, math.ceil(len(decades) / 6))
        ticks = [10.0**d for d in decades][::every]
        if len(ticks) < 2:
            ticks = sorted({self.first, self.last})
        zero = [self.zero_at] if self.has_zero else []
        axes.xaxis.set_major_locator(FixedLocator([*zero, *ticks]))
        axes.xaxis.set_major_formatter(FixedFormatter([*(["0"] if zero else []), *(f"{t:.3g}" for t in ticks)]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(f"Concentration ({plain(_unit(unit), 12)})")


def _unit(unit: str) -> str:
    return "µM" if unit == "uM" else unit


def _toxic_region(axes: Axes, curve: Curve, scale: _DoseAxis) -> None:
    """From the dose where wells leave the controls off the axis, to the right."""
    if curve.off_axis.departs_at is None:
        return
    start = scale.place(curve.off_axis.departs_at)
    axes.axvspan(start, scale.high, facecolor=TOXIC, alpha=0.1, linewidth=0, zorder=0)
    transform = blended_transform_factory(axes.transData, axes.transAxes)
    axes.text(scale.high, 0.015, "off axis ", transform=transform, ha="right", color=TOXIC, fontsize=FONT_SIZE - 1.5)


def _ec50_band(axes: Axes, curve: Curve, scale: _DoseAxis) -> None:
    """The interval of EC50 as a band, its open side up to the frame; the value as a line where it is told by `=`."""
    ec50 = curve.ec50
    if ec50.low is None and ec50.high is None:
        return
    low, high = max(ec50.low or scale.low, scale.low), min(ec50.high or scale.high, scale.high)
    if low < high:
        axes.axvspan(low, high, facecolor=POSITIVE, alpha=0.13, linewidth=0, zorder=0)
    if ec50.relation == "=" and ec50.value is not None:
        axes.axvline(ec50.value, color=POSITIVE, linewidth=1.0, zorder=1)


def _wells(axes: Axes, points: Sequence[CurvePoint], scale: _DoseAxis) -> None:
    def draw(chosen: Sequence[CurvePoint], **style: object) -> None:
        x = [scale.place(p.concentration) for p in chosen if p.concentration is not None]
        y = [p.efficacy for p in chosen]
        axes.plot(x, y, linestyle="none", **style)  # type: ignore[arg-type]

    shown = [p for p in points if p.concentration is not None and p.efficacy is not None]
    fitted = [p for p in shown if p.excluded is None]
    full = {"marker": "o", "markersize": 4.2, "markerfacecolor": TREATMENT, "markeredgecolor": PAPER}
    draw([p for p in fitted if p.weight >= _LIGHT_BELOW], **full, markeredgewidth=0.5, alpha=0.75, zorder=3)
    hollow = {"marker": "o", "markersize": 4.6, "markerfacecolor": "none", "markeredgecolor": TREATMENT}
    draw([p for p in fitted if p.weight < _LIGHT_BELOW], **hollow, markeredgewidth=1.0, zorder=3)
    draw([p for p in shown if p.excluded is not None], marker="x", markersize=4.5, markeredgecolor=MUTED, zorder=3)


def _dose_means(axes: Axes, curve: Curve, scale: _DoseAxis) -> None:
    for dose in curve.doses:
        if dose.low is not None and dose.high is not None:
            x = scale.place(dose.concentration)
            axes.plot([x, x], [dose.low, dose.high], color=INK, linewidth=1.1, solid_capstyle="round", zorder=4)
    places = [scale.place(d.concentration) for d in curve.doses]
    style = {"marker": "o", "markersize": 5.6, "markerfacecolor": INK, "markeredgecolor": PAPER, "markeredgewidth": 0.7}
    axes.plot(places, [d.mean for d in curve.doses], linestyle="none", zorder=5, **style)  # type: ignore[arg-type]


def _fit(axes: Axes, curve: Curve) -> None:
    if len(curve.fitted) > 1:
        x, y = zip(*curve.fitted, strict=True)
        colour = _VERDICT_COLOURS.get(curve.verdict, MUTED)
        axes.plot(x, y, color=colour, linewidth=2.0, solid_capstyle="round", zorder=4)


def _headline(figure: Figure, curve: Curve, size: tuple[float, float]) -> None:
    left, height = _LEFT / size[0], size[1]
    title = f"{plain(curve.compound, 34)} · {plain(curve.cell_line, 16)}"
    figure.text(left, 1 - 0.2 / height, title, color=INK, fontsize=FONT_SIZE + 1, fontweight="bold")
    words = ", ".join(part for part in (_VERDICT_WORDS[curve.verdict], ec50_text(curve.ec50)) if part)
    figure.text(
        left, 1 - 0.4 / height, words, color=_VERDICT_COLOURS.get(curve.verdict, MUTED), fontsize=FONT_SIZE - 0.5
    )


def ec50_text(ec50: CurveLocation) -> str:
    """`EC50 = 0.012 µM (0.011 to 0.013)`, `EC50 > 33 µM`, or nothing where there is none."""
    if ec50.value is None or ec50.relation is None:
        return ""
    text = f"EC50 {ec50.relation} {ec50.value:.3g} {plain(_unit(ec50.unit), 12)}"
    if ec50.relation == "=" and ec50.low is not None and ec50.high is not None:
        text += f" ({ec50.low:.3g} to {ec50.high:.3g})"
    return text
