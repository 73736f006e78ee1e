"""The figures of a report: one of everything, and the scale of the preset."""

from __future__ import annotations

from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.drawings import draw_ahead, draw_curve, draw_report
from gandl_analysis.report.view import report_view
from gandl_shared.schemas.analysis import AnalysisParameters


def test_there_is_a_figure_of_everything(small: ScreenAnalysis) -> None:
    view = report_view(small)
    drawings = draw_report(small, view)
    assert set(drawings.curves) == {row.key for row in view.rows}
    assert set(drawings.e2_planes) == set(drawings.controls) == {"HRCE"}
    assert set(drawings.plates) == {"HRCE-1", "HRCE-2"}
    assert drawings.e2_c2_plane is None
    assert "min-max" not in drawings.e2_planes["HRCE"]


def test_the_preset_of_the_paper_draws_min_max(small: ScreenAnalysis) -> None:
    parameters = AnalysisParameters(preset="paper")
    provenance = small.provenance.model_copy(update={"parameters": parameters})
    paper = small.model_copy(update={"provenance": provenance})
    assert "min-max" in draw_report(paper, report_view(paper)).e2_planes["HRCE"]


def test_a_curve_is_labelled_with_its_verdict_and_ec50(small: ScreenAnalysis) -> None:
    svg = draw_curve(small.curves[0], "curve-0")
    assert 'aria-label="Dose-response of Remdesivir in HRCE: active, EC50 0.120 µM."' in svg


def test_figures_that_are_stored_are_not_drawn_again(small: ScreenAnalysis) -> None:
    drawings = draw_ahead(small)
    view = report_view(small)
    changed = drawings.model_copy(update={"controls": {"HRCE": "<svg/>"}})
    assert draw_report(small, view, changed).controls == {"HRCE": "<svg/>"}
    assert draw_report(small, view, drawings) == draw_report(small, view)
