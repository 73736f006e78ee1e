"""Controls by plate: bars of mean ± three standard deviations, also for a single well."""

from __future__ import annotations

import pytest
from gandl_analysis.figures.controls import control_distributions
from gandl_shared.schemas.vocabulary import Role

from tests.analysis.figures.example_wells import points, titles, well


def test_a_bar_is_the_mean_and_three_standard_deviations() -> None:
    wells = [well(f"A{k:02d}", value, role=Role.NEGATIVE) for k, value in enumerate((-1.2, -1.0, -0.8), start=1)]
    bar = control_distributions(wells, "U2OS").figure.axes[0].lines[0]
    assert [x for x, _ in points(bar)] == pytest.approx([-1.6, -0.4])  # the standard deviation of the three is 0.2


def test_one_well_per_role_has_a_mark_and_no_spread() -> None:
    wells = [well("A01", -1.0, role=Role.NEGATIVE), well("A02", 1.0, role=Role.POSITIVE)]
    drawing = control_distributions(wells, "U2OS")
    assert len(titles(drawing.inline("f"))) == 2
    assert [x for x, _ in points(drawing.figure.axes[0].lines[0])] == [1.0, 1.0]


def test_treatments_other_cell_lines_and_wells_without_a_score_are_left_out() -> None:
    other = well("A04", role=Role.POSITIVE).model_copy(update={"cell_line": "A549"})
    wells = [well("A01"), well("A02", None, role=Role.POSITIVE), well("A03", 1.0, role=Role.POSITIVE), other]
    drawing = control_distributions(wells, "U2OS")
    assert [title.split(":")[0] for title in titles(drawing.inline("f"))] == ["P A03"]


def test_each_plate_has_its_row_and_a_cell_line_without_controls_is_an_empty_figure() -> None:
    wells = [well("A01", 1.0, role=Role.POSITIVE, plate=plate) for plate in ("P1", "P2")]
    drawing = control_distributions(wells, "U2OS")
    assert [text.get_text() for text in drawing.figure.axes[0].get_yticklabels()] == ["P1", "P2"]
    assert control_distributions(wells, "A549").label == "Efficacy of the control wells of A549, 0 plates."
