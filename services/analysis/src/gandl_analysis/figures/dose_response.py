"""A dose-response curve as a figure: wells, dose means, the fit, the interval of the EC50, and doses off the axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from gandl_shared.schemas.curve import Curve, CurveLocation, CurvePoint, Relation
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator
from matplotlib.transforms import blended_transform_factory

from gandl_analysis.figures.marks import DASHES
from gandl_analysis.figures.style import (
    FONT_SIZE,
    INK,
    MUTED,
    PALETTE,
    PAPER,
    POSITIVE,
    TOXIC,
    TREATMENT,
    new_figure,
    style_axes,
)
from gandl_analysis.figures.texts import ec50_text, plain, unit_text

_LEFT = 0.72
_HEADLINE_HEIGHT = 0.52
_CARD_TOP = 0.12
"""Margins in inches."""
_CARD_LIMIT = 1.35
"""Curves side by side on a page show at least the efficacies from minus to plus this, so that they can be compared."""
_ZERO_GAP = 0.6
"""Decades between the lowest dose and a dose of zero, which has no position on a logarithmic axis."""
_MIN_FULL_WEIGHT = 0.999
"""Wells below this weight were downweighted as outliers and are drawn hollow."""
_MAX_TICKS = 6


def dose_response_figure(
    curve: Curve,
    *,
    response_label: str = "Efficacy",
    midpoint: float | None = 0.0,
    size: tuple[float, float] = (4.6, 3.2),
) -> Figure:
    """Return the figure of a curve with a headline, `size` in inches; equal curves give equal bytes through `to_svg`.

    Small circles are wells (hollow: downweighted, crosses: excluded), and large dots are the dose means with their
    bootstrap intervals. The upright band is the interval of the EC50; it reaches the frame on an open side. The band
    along the curve is its confidence band. The dashed line is the `midpoint` of the controls (None: there is none). A
    dose of zero is drawn apart at the left.
    """
    figure = _panel(curve, response_label, midpoint, size, _HEADLINE_HEIGHT)
    _headline(figure, curve, size)
    return figure


def dose_response_card(curve: Curve, size: tuple[float, float]) -> Figure:
    """Return the figure of a curve for a page that gives compound, verdict and EC50 itself, with comparable axes."""
    figure = _panel(curve, "Efficacy", 0.0, size, _CARD_TOP)
    axes = figure.axes[0]
    # Autoscaling would make a flat curve look as steep as an active one.
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -_CARD_LIMIT), max(high, _CARD_LIMIT))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 5, 10]))
    return figure


def well_groups(curve: Curve) -> dict[str, tuple[CurvePoint, ...]]:
    """Return the wells that are drawn by the gid of their marks, in drawing order: ordinary, downweighted, excluded."""
    measured = [point for point in curve.points if point.concentration is not None and point.efficacy is not None]
    fitted = [point for point in measured if point.excluded is None]
    groups = {
        "points-full": [point for point in fitted if point.weight >= _MIN_FULL_WEIGHT],
        "points-hollow": [point for point in fitted if point.weight < _MIN_FULL_WEIGHT],
        "points-excluded": [point for point in measured if point.excluded is not None],
    }
    return {gid: tuple(points) for gid, points in groups.items() if points}


def _panel(curve: Curve, response_label: str, midpoint: float | None, size: tuple[float, float], top: float) -> Figure:
    figure = new_figure(*size)
    figure.subplots_adjust(left=_LEFT / size[0], top=1 - top / size[1])
    axes = figure.add_subplot()
    style_axes(axes)
    doses = _DoseAxis(curve)
    if midpoint is not None:
        axes.axhline(midpoint, color=MUTED, linewidth=0.8, linestyle=DASHES, zorder=1)
    _draw_off_axis_region(axes, curve, doses)
    _draw_ec50(axes, curve.ec50, doses)
    _draw_wells(axes, curve, doses)
    _draw_dose_means(axes, curve, doses)
    _draw_fit(axes, curve)
    doses.apply(axes, curve.ec50.unit)
    axes.set_ylabel(response_label)
    # The factor of large responses ("1e9") would otherwise be drawn over the headline.
    axes.yaxis.get_offset_text().set_horizontalalignment("right")
    return figure


class _DoseAxis:
    """The logarithmic dose axis, with a position for a dose of zero."""

    def __init__(self, curve: Curve) -> None:
        doses = [point.concentration for point in curve.points if point.concentration is not None]
        positive = sorted({dose for dose in doses if dose > 0}) or [1.0]
        # Half a dose step keeps the outer doses off the frame; the limits are for very dense and very sparse doses.
        step = min((math.log10(b / a) for a, b in pairwise(positive)), default=0.5)
        pad = min(max(0.5 * step, 0.12), 0.3)
        self.has_zero = any(dose == 0 for dose in doses)
        self.zero_at = positive[0] / 10 ** (_ZERO_GAP + pad)
        self.low = (self.zero_at if self.has_zero else positive[0]) / 10**pad
        self.high = positive[-1] * 10**pad
        self.first, self.last = positive[0], positive[-1]

    def position(self, concentration: float) -> float:
        """Return where a concentration is drawn."""
        return concentration if concentration > 0 else self.zero_at

    def apply(self, axes: Axes, unit: str) -> None:
        """Scale and label the horizontal axis of a plot."""
        axes.set_xscale("log")
        axes.set_xlim(self.low, self.high)
        decades = range(math.ceil(math.log10(self.first) - 0.3), math.floor(math.log10(self.high)) + 1)
        # Labels of more decades would overlap.
        every = max(1, math.ceil(len(decades) / _MAX_TICKS))
        ticks = [10.0**d for d in decades][::every]
        # A range within one decade has no two powers of ten, so that its end doses are labelled instead.
        if len(ticks) < 2:
            ticks = sorted({self.first, self.last})
        zero = [self.zero_at] if self.has_zero else []
        axes.xaxis.set_major_locator(FixedLocator([*zero, *ticks]))
        axes.xaxis.set_major_formatter(FixedFormatter([*(["0"] if zero else []), *(f"{t:.3g}" for t in ticks)]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(f"Concentration ({plain(unit_text(unit), 12)})")


def _draw_off_axis_region(axes: Axes, curve: Curve, doses: _DoseAxis) -> None:
    """Shade the doses from which on the wells look like neither control."""
    if curve.off_axis.departs_at is None:
        return
    start = doses.position(curve.off_axis.departs_at)
    axes.axvspan(start, doses.high, facecolor=TOXIC, alpha=0.1, linewidth=0, zorder=0)
    transform = blended_transform_factory(axes.transData, axes.transAxes)
    axes.text(doses.high, 0.015, "off axis ", transform=transform, ha="right", color=TOXIC, fontsize=FONT_SIZE - 1.5)


def _draw_ec50(axes: Axes, ec50: CurveLocation, doses: _DoseAxis) -> None:
    """Draw the interval as a band up to the frame on an open side, and the value as a line where it is no bound."""
    if ec50.low is None and ec50.high is None:
        return
    # An open side reaches the frame.
    low, high = max(ec50.low or doses.low, doses.low), min(ec50.high or doses.high, doses.high)
    if low < high:
        axes.axvspan(low, high, facecolor=POSITIVE, alpha=0.13, linewidth=0, zorder=0)
    if ec50.relation is Relation.EQUAL and ec50.value is not None:
        axes.axvline(ec50.value, color=POSITIVE, linewidth=1.0, zorder=1)


_WELL_STYLES: Mapping[str, Mapping[str, object]] = {
    "points-full": {
        "marker": "o",
        "markersize": 4.2,
        "markerfacecolor": TREATMENT,
        "markeredgecolor": PAPER,
        "markeredgewidth": 0.5,
        "alpha": 0.75,
    },
    "points-hollow": {
        "marker": "o",
        "markersize": 4.6,
        "markerfacecolor": "none",
        "markeredgecolor": TREATMENT,
        "markeredgewidth": 1.0,
    },
    "points-excluded": {"marker": "x", "markersize": 4.5, "markeredgecolor": MUTED},
}


def _draw_wells(axes: Axes, curve: Curve, doses: _DoseAxis) -> None:
    # One draw for each group, because the marks of one call share their form.
    for gid, points in well_groups(curve).items():
        x = [doses.position(point.concentration) for point in points if point.concentration is not None]
        y = [point.efficacy for point in points]
        axes.plot(x, y, linestyle="none", zorder=3, gid=gid, **_WELL_STYLES[gid])  # type: ignore[arg-type]


def _draw_dose_means(axes: Axes, curve: Curve, doses: _DoseAxis) -> None:
    for dose in curve.doses:
        if dose.low is not None and dose.high is not None:
            x = doses.position(dose.concentration)
            axes.plot([x, x], [dose.low, dose.high], color=INK, linewidth=1.1, solid_capstyle="round", zorder=4)
    x_means, means = [doses.position(dose.concentration) for dose in curve.doses], [dose.mean for dose in curve.doses]
    style = {"marker": "o", "markersize": 5.6, "markerfacecolor": INK, "markeredgecolor": PAPER, "markeredgewidth": 0.7}
    axes.plot(x_means, means, linestyle="none", zorder=5, **style)  # type: ignore[arg-type]


def _draw_fit(axes: Axes, curve: Curve) -> None:
    if len(curve.fitted) > 1:
        x, y = zip(*curve.fitted, strict=True)
        if curve.band:
            low, high = zip(*curve.band, strict=True)
            axes.fill_between(x, low, high, color=PALETTE[curve.verdict.colour], alpha=0.14, linewidth=0, zorder=2)
        axes.plot(x, y, color=PALETTE[curve.verdict.colour], linewidth=2.0, solid_capstyle="round", zorder=4)


def _headline(figure: Figure, curve: Curve, size: tuple[float, float]) -> None:
    left, height = _LEFT / size[0], size[1]
    title = f"{plain(curve.compound, 34)} · {plain(curve.cell_line, 16)}"
    figure.text(left, 1 - 0.2 / height, title, color=INK, fontsize=FONT_SIZE + 1, fontweight="bold")
    result = ", ".join(text for text in (curve.verdict.label, ec50_text(curve.ec50)) if text)
    colour = PALETTE[curve.verdict.colour]
    figure.text(left, 1 - 0.4 / height, result, color=colour, fontsize=FONT_SIZE - 0.5)
