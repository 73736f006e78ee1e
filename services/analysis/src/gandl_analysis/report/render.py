"""The report of a screen: one HTML file that needs no other file and no network, so that it opens anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from gandl_shared.schemas.curve import Curve, CurveAssessment

from gandl_analysis.figures.pixels.strips import Strips, TileChoice
from gandl_analysis.figures.style import efficacy_colour
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.drawings import StoredDrawings, draw_report
from gandl_analysis.report.environment import environment
from gandl_analysis.report.view import report_view

CompoundAddress = Callable[[Curve], str]
NO_STRIPS: Strips = MappingProxyType({})


def render_report(
    analysis: ScreenAnalysis,
    strips: Strips = NO_STRIPS,
    assessments: Sequence[CurveAssessment] = (),
    drawings: StoredDrawings | None = None,
) -> str:
    """Return the report as one HTML document in which every text of the user is escaped."""
    context = report_context(analysis, strips=strips, drawings=drawings, assessments=assessments)
    return environment().get_template("report.html").render(context)


def report_context(
    analysis: ScreenAnalysis,
    address: CompoundAddress | None = None,
    strips: Strips = NO_STRIPS,
    drawings: StoredDrawings | None = None,
    assessments: Sequence[CurveAssessment] = (),
) -> dict[str, object]:
    """Return the variables of the report's template. `address` gives the page of a compound; None where there is no
    server, so that a compound links to its curve below. `strips` are the tiles under the curves, `drawings` the
    figures that are stored, and `assessments` what people set beside curves."""
    view = report_view(analysis)
    return {
        "analysis": analysis,
        "view": view,
        "drawings": draw_report(analysis, view, drawings),
        "address": address,
        "strips": strips,
        "assessed": {(each.compound, each.cell_line): each for each in assessments},
        "strip_rule": TileChoice.MEDIAN.rule,
        "efficacy_ramp": ", ".join(efficacy_colour(step / 4) for step in range(-4, 5)),
    }
