"""The invented screen as a result, as a page, and a part of it that is quick to draw."""

from __future__ import annotations

import pytest
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.render import render_report

from tests.analysis.example.screen import example_analysis


@pytest.fixture(scope="session")
def analysis() -> ScreenAnalysis:
    """The invented screen."""
    return example_analysis()


@pytest.fixture(scope="session")
def html(analysis: ScreenAnalysis) -> str:
    """The report of the invented screen."""
    return render_report(analysis)


@pytest.fixture(scope="session")
def small(analysis: ScreenAnalysis) -> ScreenAnalysis:
    """Two plates and two curves of the invented screen."""
    wells = tuple(well for well in analysis.wells if well.plate in ("HRCE-1", "HRCE-2"))
    return analysis.model_copy(update={"wells": wells, "curves": analysis.curves[:2]})
