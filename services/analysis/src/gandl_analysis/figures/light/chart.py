"""A control chart as a light drawing: values in the order of time, the centre, and the limits around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gandl_science.assay.controls.charts import ControlLimits

from gandl_analysis.figures.light.elements import element, polyline

_WIDTH, _HEIGHT = 720.0, 200.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 12.0, 22.0
WARNING, ACTION = 2.0, 3.0
"""Standard deviations from the centre beyond which a value warns, and beyond which it is out of control."""


@dataclass(frozen=True, kw_only=True)
class ChartValue:
    """One value of a chart: what it is of, for the pointer, and its group, such as the screen of a plate."""

    title: str
    group: str
    value: float


def chart_picture(values: Sequence[ChartValue], limits: ControlLimits | None, label: str) -> str:
    """Return the chart of values [N] in their order as an element of a page; without limits only the values are drawn.

    Values beyond two standard deviations are hollow, and those beyond three are squares. A line separates groups.
    """
    edges = [] if limits is None else [*limits.limits(ACTION)]
    low, high = min([v.value for v in values] + edges), max([v.value for v in values] + edges)
    gap = (high - low or 1.0) * 0.08
    low, high = low - gap, high + gap

    def x(index: float) -> float:
        return _LEFT + (index + 0.5) / len(values) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [element("path", d=f"M{_LEFT:g} {_TOP:g}V{_HEIGHT - _BOTTOM:g}H{_WIDTH - _RIGHT:g}", class_="axis")]
    for value in (low + gap, (low + high) / 2, high - gap):
        parts.append(
            element("text", text=f"{value:.3g}".replace("-", "−"), x=_LEFT - 5, y=y(value) + 4, class_="tick y")
        )
    if limits is not None:
        levels = [("centre", limits.centre), *(("warning", v) for v in limits.limits(WARNING))]
        levels += [("action", v) for v in limits.limits(ACTION)]
        parts += [element("path", d=f"M{_LEFT:g} {y(v):.1f}H{_WIDTH - _RIGHT:g}", class_=kind) for kind, v in levels]
    for index in range(1, len(values)):
        if values[index].group != values[index - 1].group:
            parts.append(element("path", d=f"M{x(index - 0.5):.1f} {_TOP:g}V{_HEIGHT - _BOTTOM:g}", class_="group"))
    parts.append(element("path", d=polyline((x(k), y(v.value)) for k, v in enumerate(values)), class_="run"))
    parts += [_mark(v, x(k), y(v.value), limits) for k, v in enumerate(values)]
    box = f"0 0 {_WIDTH:g} {_HEIGHT:g}"
    return element("svg", *parts, class_="figure light-curve chart", viewBox=box, role="img", aria_label=label)


def is_out(value: float, limits: ControlLimits | None) -> bool:
    """Return whether a value is beyond three standard deviations."""
    return limits is not None and abs(limits.deviations(value)) > ACTION


def _mark(value: ChartValue, x: float, y: float, limits: ControlLimits | None) -> str:
    away = 0.0 if limits is None else abs(limits.deviations(value.value))
    title = f"{value.title}: {value.value:.3g}" + (
        f", {away:.1f} standard deviations from the centre" if limits else ""
    )
    if away > ACTION:
        return element("rect", title=title, x=x - 4, y=y - 4, width=8.0, height=8.0, class_="out")
    return element("circle", title=title, cx=x, cy=y, r=3.4, class_="hollow" if away > WARNING else "mean")
