"""Marks: every well is drawn once with its title, and too many wells carry none."""

from __future__ import annotations

import pytest
from gandl_analysis.figures import marks
from gandl_analysis.figures.marks import WellPosition, count_by_role, draw_wells, mark_value, well_title
from gandl_analysis.figures.style import new_figure
from gandl_analysis.figures.svg import to_svg
from gandl_shared.schemas.vocabulary import Role

from tests.analysis.figures.example_wells import points, well

POSITIONS = [
    WellPosition(well=well("A01", role=Role.POSITIVE), x=0.0, y=0.0),
    WellPosition(well=well("A02"), x=1.0, y=0.0),
    WellPosition(well=well("A03"), x=2.0, y=0.0),
]


def test_the_title_of_a_well_gives_its_contents_and_score() -> None:
    assert well_title(well("A01", -0.25)) == "P A01: X 1 µM, efficacy -0.25"
    assert well_title(well("A01", None)) == "P A01: X 1 µM, no score"
    control = well("B02", role=Role.NEGATIVE).model_copy(update={"compound": None, "concentration_um": None})
    assert well_title(control) == "P B02: negative control, efficacy +0.50"


def test_titles_come_by_role_in_the_order_of_the_wells() -> None:
    titles = draw_wells(new_figure(3, 2).add_subplot(), POSITIONS, "wells")
    assert {gid: [title.split(":")[0] for title in of_role] for gid, of_role in titles.items()} == {
        "wells-treatment": ["P A02", "P A03"],
        "wells-positive_control": ["P A01"],
    }
    assert count_by_role(POSITIONS) == "1 positive control wells, 0 negative control wells, 2 treatment wells"


def test_too_many_wells_become_a_bitmap_without_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "MAX_TITLED_WELLS", 2)
    figure = new_figure(3, 2)
    assert draw_wells(figure.add_subplot(), POSITIONS, "wells") == {}
    assert "<image" in to_svg(figure)


def test_a_marked_value_has_a_dashed_line_and_its_text() -> None:
    figure = new_figure(3, 2)
    axes = figure.add_subplot()
    mark_value(axes, 0.25, "efficacy 0")
    (line,) = axes.lines
    assert [x for x, _ in points(line)] == [0.25, 0.25]
    assert "stroke-dasharray" in to_svg(figure) and ">efficacy 0</text>" in to_svg(figure)
