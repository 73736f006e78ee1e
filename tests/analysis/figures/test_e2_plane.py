"""The E2 plane: each well of the cell line at its scores, and the controls' means marked."""

from __future__ import annotations

import pytest
from gandl_analysis.figures.e2_plane import PlotScale, e2_plane
from gandl_shared.schemas.vocabulary import Role

from tests.analysis.example.screen import example_analysis
from tests.analysis.figures.example_wells import points, positions, titles, well


def test_each_scored_well_has_one_title() -> None:
    wells = example_analysis().wells
    expected = [w for w in wells if w.cell_line == "HRCE" and w.on is not None]
    names = [title.split(":")[0] for title in titles(e2_plane(wells, "HRCE").inline("f"))]
    assert sorted(names) == sorted(f"{w.plate} {w.well}" for w in expected)


def test_a_title_is_on_the_mark_of_its_well() -> None:
    wells = [well(f"A{k:02d}", efficacy=value) for k, value in enumerate([0.9, -0.4, 0.1], start=1)]
    marks = positions(e2_plane(wells, "U2OS").inline("f"), "x")
    assert [title.split(":")[0] for title in sorted(marks, key=marks.__getitem__)] == ["P A02", "P A03", "P A01"]


def test_the_means_of_the_controls_are_minus_and_plus_one() -> None:
    controls = [well("A01", -1.5, role=Role.NEGATIVE), well("A02", -0.5, role=Role.NEGATIVE)]
    drawing = e2_plane([*controls, well("B01", 3.0, role=Role.POSITIVE)], "U2OS")
    dashed = [line for line in drawing.figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [points(line)[0][0] for line in dashed] == [-1.0, 1.0, 3.0]
    svg = drawing.inline("f")
    assert all(f">{text}</text>" in svg for text in ("−1", "efficacy 0", "+1"))


def test_without_both_controls_nothing_is_marked() -> None:
    assert ">efficacy 0<" not in e2_plane([well("A01"), well("A02", role=Role.POSITIVE)], "U2OS").inline("f")


@pytest.mark.parametrize("scale", list(PlotScale))
def test_a_cell_line_without_scores_is_an_empty_plane(scale: PlotScale) -> None:
    drawing = e2_plane([well("A01", None)], "U2OS", scale)
    assert drawing.label == "E2 plane of U2OS: 0 positive control wells, 0 negative control wells, 0 treatment wells."


def test_min_max_stretches_over_the_whole_screen_and_is_named() -> None:
    other = well("A03", 10.0).model_copy(update={"cell_line": "A549"})
    drawing = e2_plane([well("A01", 0.0), well("A02", 5.0), other], "U2OS", PlotScale.MIN_MAX)
    axes = drawing.figure.axes[0]
    assert [x for x, _ in points(axes.lines[0])] == pytest.approx([-1.0, 0.0])
    assert "min-max" in axes.get_xlabel() and "min-max" in axes.get_ylabel()
