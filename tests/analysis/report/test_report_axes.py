"""The report on axes: the plane of E2 and C2, the table of all axes, and words where numbers are in-sample."""

from __future__ import annotations

import re

import pytest
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import EarlierAxes
from gandl_analysis.report.render import render_report
from gandl_shared.schemas.analysis import AnalysisParameters, AxisChoice

from tests.analysis.report.page_tags import PageTags
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


def test_numbers_are_called_out_of_fold_and_parameters_are_words(report: str) -> None:
    text = PageTags(report).text
    assert "Every number here is out-of-fold: no well was scored by an axis that was fitted on it" in text
    assert "in-sample" not in text
    assert "normalisation align" in text
    assert "fitted on this screen, with −1 and +1 from held-out controls" in text


def test_the_preset_of_the_paper_is_called_in_sample_first() -> None:
    html = render_report(analyse(TWO.screen(AnalysisParameters(preset="paper"))).analysis)
    text = PageTags(html).text
    assert html.index("! in-sample") < html.index('id="compounds"')
    assert "Every number here is out-of-fold" not in text
    assert "Every number here is in-sample" in text
    assert "min-max" in text


def test_an_earlier_axis_is_named() -> None:
    fits = tuple(analyse(Simulated(seed=1).screen()).fits.values())
    text = render_report(analyse(Simulated(seed=2).screen(earlier=EarlierAxes(fits, "E2 & co"))).analysis)
    assert "Scored by axes of E2 &amp; co; anchors, U2OS: own controls." in text
    assert "(the axis comes from an earlier screen)" in text
