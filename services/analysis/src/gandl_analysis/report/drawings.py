"""The figures of a report, each as an element of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.curve import Curve, CurvePoint
from markupsafe import Markup

from gandl_analysis.figures.controls import control_distributions
from gandl_analysis.figures.dose_response import dose_response_card, well_groups
from gandl_analysis.figures.e2_c2_plane import e2_c2_plane
from gandl_analysis.figures.e2_plane import PlotScale, e2_plane
from gandl_analysis.figures.light.colours import colour_scale
from gandl_analysis.figures.light.curve import curve_picture
from gandl_analysis.figures.light.plate import plate_picture
from gandl_analysis.figures.marks import well_title
from gandl_analysis.figures.svg import Drawing
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.numbers import location
from gandl_analysis.report.view import ReportView, cell_line_names, report_view

CARD_SIZE = (4.4, 2.9)
"""Inches of a curve among others."""


class StoredDrawings(Frozen):
    """The figures of a report as elements of a page: curves by the key of their row, plates by name, and planes and
    controls by cell line, with the plane of two cell lines. They are drawn when an analysis ends, and stored."""

    curves: Mapping[str, str]
    plates: Mapping[str, str]
    e2_planes: Mapping[str, str]
    controls: Mapping[str, str]
    e2_c2_plane: str | None


@dataclass(frozen=True, kw_only=True)
class ReportDrawings:
    """The figures of a report: curves by the key of their row, planes and controls by cell line, and plates by name.
    `e2_c2_plane` is None where there are no two cell lines."""

    curves: Mapping[str, Markup]
    e2_planes: Mapping[str, Markup]
    controls: Mapping[str, Markup]
    plates: Mapping[str, Markup]
    e2_c2_plane: Markup | None


def draw_ahead(analysis: ScreenAnalysis, view: ReportView | None = None) -> StoredDrawings:
    """Draw all figures of a report."""
    view = view or report_view(analysis)
    wells, names = analysis.wells, cell_line_names(analysis)
    # The paper plots stretched scores, so that its preset can be compared with its figures.
    scale = PlotScale.MIN_MAX if analysis.provenance.parameters.preset == "paper" else PlotScale.SCORES
    return StoredDrawings(
        curves={row.key: _draw_card(row.curve) for row in view.drawn_rows},
        plates={name: _draw_plate(analysis, name) for name in view.drawn_plates},
        e2_planes={name: e2_plane(wells, name, scale).inline(f"e2-{k}") for k, name in enumerate(names)},
        controls={name: control_distributions(wells, name).inline(f"qc-{k}") for k, name in enumerate(names)},
        e2_c2_plane=_draw_e2_c2_plane(analysis, scale),
    )


def draw_report(analysis: ScreenAnalysis, view: ReportView, stored: StoredDrawings | None = None) -> ReportDrawings:
    """Return the figures of a report: the `stored` ones, or all of them drawn now."""
    stored = stored or draw_ahead(analysis, view)
    c2 = stored.e2_c2_plane
    # A figure is safe to put into a page, because the XML writer escapes every text in it.
    return ReportDrawings(
        curves=_markups(stored.curves),
        e2_planes=_markups(stored.e2_planes),
        controls=_markups(stored.controls),
        plates=_markups(stored.plates),
        e2_c2_plane=None if c2 is None else Markup(c2),
    )


@dataclass(frozen=True, kw_only=True)
class PointLink:
    """What a point of a curve says of its well, and the address of the page of the well."""

    title: str
    address: str


def draw_curve(
    curve: Curve,
    name: str,
    size: tuple[float, float] = CARD_SIZE,
    link: Callable[[CurvePoint], PointLink] | None = None,
) -> Markup:
    """Draw a curve; `name` is unique on the page, and `size` is in inches. With `link`, its wells are links."""
    points = {} if link is None else {gid: [link(p) for p in points] for gid, points in well_groups(curve).items()}
    tips = {gid: [point.title for point in of_group] for gid, of_group in points.items()}
    links = {gid: [point.address for point in of_group] for gid, of_group in points.items()}
    return _markup(Drawing(dose_response_card(curve, size), curve_label(curve), tips, links), name)


def curve_label(curve: Curve) -> str:
    """Return what a picture of a curve shows, in words."""
    ec50 = f", EC50 {location(curve.ec50)}" if curve.ec50.value is not None else ""
    return f"Dose-response of {curve.compound} in {curve.cell_line}: {curve.verdict.label}{ec50}."


def _draw_card(curve: Curve) -> str:
    # A report draws a hundred curves, for which a plotting library would need seconds.
    return curve_picture(curve, curve_label(curve))


def _draw_plate(analysis: ScreenAnalysis, plate: str) -> str:
    wells = [well for well in analysis.wells if well.plate == plate]
    values: dict[str, float | str | None] = {well.well: well.efficacy for well in wells}
    scored = sum(value is not None for value in values.values())
    label = f"Efficacy of plate {plate}: {scored} of {len(wells)} wells have a score."
    scale = colour_scale(list(values.values()), is_diverging=True, limit=1.0)
    return plate_picture(wells, values, scale, label, titles={well.well: well_title(well) for well in wells})


def _draw_e2_c2_plane(analysis: ScreenAnalysis, scale: PlotScale) -> str | None:
    # An axis that was requested but could not be fitted has no hash and no scores.
    c2 = next((axis for axis in analysis.axes if axis.name == "C2" and axis.hash), None)
    drawing = None if c2 is None else e2_c2_plane(analysis.wells, c2, scale)
    return None if drawing is None else drawing.inline("between")


def _markups(texts: Mapping[str, str]) -> dict[str, Markup]:
    return {name: Markup(text) for name, text in texts.items()}


def _markup(drawing: Drawing, name: str) -> Markup:
    """A figure is safe to put into a page, because the XML writer escapes every text in it."""
    return Markup(drawing.inline(name))
