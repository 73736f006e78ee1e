"""The figures of a report, each as an element of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gandl_shared.schemas.curve import Curve, CurvePoint
from markupsafe import Markup

from gandl_analysis.figures.controls import control_distributions
from gandl_analysis.figures.dose_response import dose_response_card, well_groups
from gandl_analysis.figures.e2_c2_plane import e2_c2_plane
from gandl_analysis.figures.e2_plane import PlotScale, e2_plane
from gandl_analysis.figures.plate import plate_heatmap
from gandl_analysis.figures.svg import Drawing
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.numbers import location
from gandl_analysis.report.view import ReportView

CARD_SIZE = (4.4, 2.9)
"""Inches of a curve among others."""


@dataclass(frozen=True, kw_only=True)
class ReportDrawings:
    """The figures of a report: curves by the key of their row, planes and controls by cell line, and plates by name.
    `e2_c2_plane` is None where there are no two cell lines."""

    curves: Mapping[str, Markup]
    e2_planes: Mapping[str, Markup]
    controls: Mapping[str, Markup]
    plates: Mapping[str, Markup]
    e2_c2_plane: Markup | None


def draw_report(analysis: ScreenAnalysis, view: ReportView) -> ReportDrawings:
    """Draw all figures of a report."""
    wells, names = analysis.wells, [cell_line.name for cell_line in view.cell_lines]
    # The paper plots stretched scores, so that its preset can be compared with its figures.
    scale = PlotScale.MIN_MAX if analysis.provenance.parameters.preset == "paper" else PlotScale.SCORES
    return ReportDrawings(
        curves={row.key: draw_curve(row.curve, row.key) for row in view.drawn_rows},
        e2_planes={name: _markup(e2_plane(wells, name, scale), f"e2-{k}") for k, name in enumerate(names)},
        controls={name: _markup(control_distributions(wells, name), f"qc-{k}") for k, name in enumerate(names)},
        plates={name: _markup(plate_heatmap(wells, name), f"plate-{k}") for k, name in enumerate(view.drawn_plates)},
        e2_c2_plane=_draw_e2_c2_plane(analysis, scale),
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
    ec50 = f", EC50 {location(curve.ec50)}" if curve.ec50.value is not None else ""
    label = f"Dose-response of {curve.compound} in {curve.cell_line}: {curve.verdict.label}{ec50}."
    points = {} if link is None else {gid: [link(p) for p in points] for gid, points in well_groups(curve).items()}
    tips = {gid: [point.title for point in of_group] for gid, of_group in points.items()}
    links = {gid: [point.address for point in of_group] for gid, of_group in points.items()}
    return _markup(Drawing(dose_response_card(curve, size), label, tips, links), name)


def _draw_e2_c2_plane(analysis: ScreenAnalysis, scale: PlotScale) -> Markup | None:
    # An axis that was requested but could not be fitted has no hash and no scores.
    c2 = next((axis for axis in analysis.axes if axis.name == "C2" and axis.hash), None)
    drawing = None if c2 is None else e2_c2_plane(analysis.wells, c2, scale)
    return None if drawing is None else _markup(drawing, "between")


def _markup(drawing: Drawing, name: str) -> Markup:
    """A figure is safe to put into a page, because the XML writer escapes every text in it."""
    return Markup(drawing.inline(name))
