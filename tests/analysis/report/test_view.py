"""The report on axes: the plane of E2 and C2, the table of all axes, and words where figures are in-sample."""

from __future__ import annotations

import re

import pytest
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import EarlierAxes
from gandl_analysis.report.render import render_report
from gandl_shared.schemas.analysis import AnalysisParameters, AxisChoice

from tests.analysis.simulated_screens import Simulated

LINES = ("HRCE", "V<b>ERO")
TWO = Simulated(lines=LINES, lines_apart=5.0)


@pytest.fixture(scope="module")
def report() -> str:
    choice = AxisChoice(name="mine", positive={"compound": ("X",)}, negative={"role": ("negative_control",)})
    return render_report(analyse(TWO.screen(AnalysisParameters(axes=(choice,), normalisation="align"))).analysis)


def test_two_lines_are_drawn_in_the_plane_of_both_axes(report: str) -> None:
    (label,) = re.findall(r'aria-label="(Efficacy against C2[^"]*)"', report)
    assert label.startswith("Efficacy against C2 between HRCE and V&lt;b&gt;ERO: 16 positive control wells, 16 neg")
    assert "V<b>ERO" not in report
    assert "Efficacy against C2" not in render_report(analyse(Simulated().screen()).analysis)


def test_every_axis_has_a_row(report: str) -> None:
    table = report[report.index("<summary>All axes") :]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td>', table[: table.index("</table>")])
    assert rows == [
        ("E2", "HRCE"),
        ("E2", "V&lt;b&gt;ERO"),
        ("E2-pooled", "all"),
        ("C2", "all"),
        ("mine", "all"),
    ]
    assert "not normalised by plate" in table


def test_out_of_fold_is_said_and_parameters_are_words(report: str) -> None:
    assert "Every figure here is out-of-fold" in report
    assert "in-sample" not in report
    assert "normalisation align" in report
    assert "fitted on this screen, anchored by held-out controls" in report


def test_the_preset_of_the_paper_says_in_sample_first() -> None:
    text = render_report(analyse(TWO.screen(AnalysisParameters(preset="paper"))).analysis)
    assert text.index("in-sample: it flatters") < text.index('id="compounds"')
    assert "Every figure here is out-of-fold" not in text
    assert "Every figure here is in-sample" in text
    assert "excellent" not in text
    assert "min-max" in text


def test_an_earlier_axis_is_named() -> None:
    fits = tuple(analyse(Simulated(seed=1).screen()).fits.values())
    text = render_report(analyse(Simulated(seed=2).screen(earlier=EarlierAxes(fits, "E2 & co"))).analysis)
    assert "Scored by axes of E2 &amp; co; anchors, U2OS: own controls." in text
    assert "(an earlier screen)" in text
