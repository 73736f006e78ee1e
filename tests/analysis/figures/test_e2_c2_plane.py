"""The plane of E2 and C2: wells with both scores, and both cell lines named."""

from __future__ import annotations

from gandl_analysis.figures.e2_c2_plane import e2_c2_plane
from gandl_analysis.figures.e2_plane import PlotScale
from gandl_analysis.pipeline.result import AxisScores

from tests.analysis.figures.example_wells import points, well

WELLS = (well("A01", 0.5), well("A02", None), well("A03", -0.5))


def c2(scaled: tuple[float | None, ...] = (1.0, 0.0, -1.0)) -> AxisScores:
    return AxisScores(
        name="C2",
        cell_line=None,
        positive={"cell_line": ("V<b>ERO",)},
        negative={"cell_line": ("HRCE",)},
        hash="0",
        wells=(0, 1, 2),
        side=(1, 1, -1),
        on=(3.0, 2.0, 1.0),
        scaled=scaled,
        off=(0.0, 0.0, 0.0),
        off_distance=(0.0, 0.0, 0.0),
    )


def test_wells_with_both_scores_are_drawn() -> None:
    drawing = e2_c2_plane(WELLS, c2())
    assert drawing is not None
    marks = drawing.figure.axes[0].lines[0]
    assert points(marks) == [[0.5, 1.0], [-0.5, -1.0]]
    assert drawing.label.startswith("Efficacy against C2 between HRCE and V<b>ERO: 0 positive")


def test_both_cell_lines_are_named_and_escaped() -> None:
    drawing = e2_c2_plane(WELLS, c2())
    assert drawing is not None
    svg = drawing.inline("f")
    assert ">HRCE</text>" in svg and ">V&lt;b&gt;ERO</text>" in svg


def test_min_max_uses_the_scores_of_both_axes() -> None:
    drawing = e2_c2_plane(WELLS, c2(), PlotScale.MIN_MAX)
    assert drawing is not None
    marks = drawing.figure.axes[0].lines[0]
    assert points(marks) == [[1.0, 1.0], [-1.0, -1.0]]


def test_no_well_with_both_scores_is_no_figure() -> None:
    assert e2_c2_plane(WELLS, c2((None, 0.0, None))) is None
