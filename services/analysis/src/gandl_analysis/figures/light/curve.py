"""Dose-response curves as light drawings: one curve with its wells, or several over each other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gandl_shared.schemas.curve import Curve, CurvePoint, Relation

from gandl_analysis.figures.light.elements import element, polyline
from gandl_analysis.figures.texts import unit_text

_LIMIT = 1.35
"""All curves show at least the efficacies from minus to plus this, so that flat ones do not look steep."""
_ZERO_GAP = 0.6
"""Decades between the lowest dose and a dose of zero, which has no position on a logarithmic axis."""
_MIN_FULL_WEIGHT = 0.999
_MAX_TICKS = 6
_JITTER = 3.2
"""Pixels between replicates of one dose, so that equal efficacies can both be seen."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 8.0, 8.0, 26.0
OVERLAY_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b79f00", "#5d636b", "#7b3294")
"""Colours of curves over each other (M. Okabe and K. Ito, 2008); dashes tell them apart without colour."""
_DASHES = (None, "6 3", "2 2", "8 3 2 3", "1 3", "10 4", "4 1", "6 2 1 2")


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """The axes of a drawing: doses on a logarithmic axis, efficacies on a linear one, in pixels of the viewBox."""

    width: float
    height: float
    low: float
    high: float
    bottom: float
    top: float
    zero_at: float | None
    first: float
    last: float
    unit: str

    def x(self, dose: float) -> float:
        """Return the horizontal position of a dose, at the frame for one beyond it."""
        position = dose if dose > 0 else self.zero_at or self.low
        share = (math.log10(min(max(position, self.low), self.high)) - math.log10(self.low)) / math.log10(
            self.high / self.low
        )
        return _LEFT + share * (self.width - _LEFT - _RIGHT)

    def y(self, efficacy: float) -> float:
        """Return the vertical position of an efficacy, at the frame for one beyond it."""
        share = (min(max(efficacy, self.bottom), self.top) - self.bottom) / (self.top - self.bottom)
        return self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM)


def curve_picture(curve: Curve, label: str, *, width: float = 340.0, height: float = 220.0) -> str:
    """Return one curve as an element of a page, its colour that of its verdict. Screen readers read `label`.

    Small circles are wells, side by side where a dose has several (hollow: downweighted, crosses: left out), and large
    dots are the dose means with their intervals. The upright band is the interval of the EC50, the one along the curve
    its confidence band. A dose of zero stands apart at the left.
    """
    frame = _frame([curve], width, height)
    parts = [
        _axes(frame),
        _off_axis(frame, curve),
        _ec50(frame, curve),
        _band(frame, curve),
        _wells(frame, curve.points),
        _line(frame, curve, style=f"stroke:var(--{curve.verdict.colour.value})"),
        _means(frame, curve),
    ]
    return _svg(frame, parts, label)


def overlay_picture(curves: Sequence[Curve], label: str, *, width: float = 720.0, height: float = 400.0) -> str:
    """Return several curves over each other, each in its colour and dashes of `overlay_style`, with dose means."""
    frame = _frame(curves, width, height)
    parts = [_axes(frame)]
    for number, curve in enumerate(curves):
        colour, dash = overlay_style(number)
        title = f"{curve.compound}, {curve.cell_line}"
        parts.append(_line(frame, curve, style=f"stroke:{colour}", dash=dash, title=title))
        parts += [
            element("circle", cx=frame.x(d.concentration), cy=frame.y(d.mean), r=3.2, fill=colour, title=title)
            for d in curve.doses
        ]
    return _svg(frame, parts, label)


def overlay_style(number: int) -> tuple[str, str | None]:
    """Return the colour and the dashes of the curve of that number in an overlay."""
    return OVERLAY_COLOURS[number % len(OVERLAY_COLOURS)], _DASHES[number % len(_DASHES)]


def _frame(curves: Sequence[Curve], width: float, height: float) -> _Frame:
    points = [p for curve in curves for p in curve.points if p.concentration is not None and p.efficacy is not None]
    doses = [point.concentration for point in points if point.concentration is not None]
    positive = sorted({dose for dose in doses if dose > 0}) or [1.0]
    # Half a dose step keeps the outer doses off the frame; the limits are for very dense and very sparse doses.
    step = min((math.log10(b / a) for a, b in pairwise(positive)), default=0.5)
    pad = min(max(0.5 * step, 0.12), 0.3)
    zero_at = positive[0] / 10 ** (_ZERO_GAP + pad) if 0.0 in doses else None
    efficacies = [point.efficacy for point in points if point.efficacy is not None]
    efficacies += [value for curve in curves for _, value in curve.fitted]
    return _Frame(
        width=width,
        height=height,
        low=(zero_at or positive[0]) / 10**pad,
        high=positive[-1] * 10**pad,
        bottom=min(-_LIMIT, *efficacies) if efficacies else -_LIMIT,
        top=max(_LIMIT, *efficacies) if efficacies else _LIMIT,
        zero_at=zero_at,
        first=positive[0],
        last=positive[-1],
        unit=unit_text(curves[0].ec50.unit),
    )


def _svg(frame: _Frame, parts: Sequence[str], label: str) -> str:
    box = f"0 0 {frame.width:g} {frame.height:g}"
    return element("svg", *parts, class_="figure light-curve", viewBox=box, role="img", aria_label=label)


def _axes(frame: _Frame) -> str:
    left, right, low, high = _LEFT, frame.width - _RIGHT, frame.height - _BOTTOM, _TOP
    parts = [
        element("path", d=f"M{left:g} {high:g}V{low:g}H{right:g}", class_="axis"),
        element("path", d=f"M{left:g} {frame.y(0.0):.1f}H{right:g}", class_="zero"),
    ]
    for value in _efficacy_ticks(frame):
        y = frame.y(value)
        parts.append(element("path", d=f"M{left - 3:g} {y:.1f}h3", class_="axis"))
        parts.append(element("text", text=_signed(value), x=left - 5, y=y + 3.5, class_="tick y"))
    for x, text in _dose_ticks(frame):
        parts.append(element("path", d=f"M{x:.1f} {low:g}v3", class_="axis"))
        parts.append(element("text", text=text, x=x, y=low + 13.5, class_="tick"))
    parts.append(element("text", text=frame.unit, x=right, y=frame.height - 2, class_="tick unit"))
    return "".join(parts)


def _efficacy_ticks(frame: _Frame) -> list[float]:
    span = frame.top - frame.bottom
    # Four to eight ticks whose distance is 1, 2 or 5 times a power of ten.
    magnitude = 10.0 ** math.floor(math.log10(span / 4))
    step = next((f * magnitude for f in (1, 2, 5, 10) if span / (f * magnitude) <= 6), 10 * magnitude)
    return [k * step for k in range(math.ceil(frame.bottom / step), math.floor(frame.top / step) + 1)]


def _dose_ticks(frame: _Frame) -> list[tuple[float, str]]:
    decades = range(math.ceil(math.log10(frame.first) - 0.3), math.floor(math.log10(frame.high)) + 1)
    every = max(1, math.ceil(len(decades) / _MAX_TICKS))
    ticks = [10.0**d for d in decades][::every]
    # A range within one decade has no two powers of ten, so that its end doses are labelled instead.
    if len(ticks) < 2:
        ticks = sorted({frame.first, frame.last})
    zero = [] if frame.zero_at is None else [(frame.x(0.0), "0")]
    return [*zero, *((frame.x(tick), f"{tick:.3g}") for tick in ticks)]


def _off_axis(frame: _Frame, curve: Curve) -> str:
    if curve.off_axis.departs_at is None:
        return ""
    return _upright(frame, curve.off_axis.departs_at, frame.high, "off", "off axis: cells look like neither control")


def _ec50(frame: _Frame, curve: Curve) -> str:
    ec50 = curve.ec50
    if ec50.low is None and ec50.high is None:
        return ""
    band = _upright(frame, ec50.low or frame.low, ec50.high or frame.high, "ec50", "interval of the EC50")
    if ec50.relation is not Relation.EQUAL or ec50.value is None:
        return band
    return band + element(
        "path", d=f"M{frame.x(ec50.value):.1f} {_TOP:g}V{frame.height - _BOTTOM:g}", class_="ec50-line"
    )


def _upright(frame: _Frame, low: float, high: float, kind: str, title: str) -> str:
    left, right = frame.x(low), frame.x(high)
    height = frame.height - _BOTTOM - _TOP
    if right <= left:
        return ""
    return element("rect", title=title, x=left, y=_TOP, width=right - left, height=height, class_=kind)


def _band(frame: _Frame, curve: Curve) -> str:
    if not curve.band:
        return ""
    doses = [frame.x(dose) for dose, _ in curve.fitted]
    upper = [(x, frame.y(high)) for x, (_, high) in zip(doses, curve.band, strict=True)]
    lower = [(x, frame.y(low)) for x, (low, _) in zip(doses, curve.band, strict=True)]
    style = f"fill:var(--{curve.verdict.colour.value})"
    return element("path", d=polyline([*upper, *reversed(lower)], closed=True), class_="band", style=style)


def _line(frame: _Frame, curve: Curve, *, style: str, dash: str | None = None, title: str | None = None) -> str:
    if len(curve.fitted) < 2:
        return ""
    path = polyline((frame.x(dose), frame.y(value)) for dose, value in curve.fitted)
    return element("path", title=title, d=path, class_="fit", style=style, stroke_dasharray=dash)


def _wells(frame: _Frame, points: Sequence[CurvePoint]) -> str:
    by_dose: dict[float, list[CurvePoint]] = defaultdict(list)
    for point in points:
        if point.concentration is not None and point.efficacy is not None:
            by_dose[point.concentration].append(point)
    return "".join(
        _well(point, frame.x(dose) + _JITTER * (number - (len(group) - 1) / 2), frame.y(point.efficacy or 0.0))
        for dose, group in by_dose.items()
        for number, point in enumerate(group)
    )


def _well(point: CurvePoint, x: float, y: float) -> str:
    origin = " ".join(name for name in (point.plate, point.well) if name)
    title = f"{origin}: {point.efficacy:+.2f}" + (f", left out: {point.excluded}" if point.excluded else "")
    if point.excluded is not None:
        return element("path", title=title, d=f"M{x - 3:.1f} {y - 3:.1f}l6 6m0-6l-6 6", class_="left-out")
    kind = "well" if point.weight >= _MIN_FULL_WEIGHT else "well hollow"
    return element("circle", title=title, cx=x, cy=y, r=2.6, class_=kind)


def _means(frame: _Frame, curve: Curve) -> str:
    parts = []
    for dose in curve.doses:
        x = frame.x(dose.concentration)
        if dose.low is not None and dose.high is not None:
            parts.append(element("path", d=f"M{x:.1f} {frame.y(dose.low):.1f}V{frame.y(dose.high):.1f}", class_="ci"))
        title = f"mean of {dose.n_wells} wells: {dose.mean:+.2f}"
        parts.append(element("circle", title=title, cx=x, cy=frame.y(dose.mean), r=3.6, class_="mean"))
    return "".join(parts)


def _signed(value: float) -> str:
    return f"{value:g}".replace("-", "−")
