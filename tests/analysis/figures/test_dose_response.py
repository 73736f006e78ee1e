"""The figure of a curve: the words of the vocabulary, comparable axes, and a position for a dose of zero."""

from __future__ import annotations

import pytest
from gandl_analysis.figures.dose_response import dose_response_card, dose_response_figure
from gandl_analysis.figures.style import PALETTE
from gandl_analysis.figures.svg import to_svg
from gandl_analysis.figures.texts import ec50_text
from gandl_shared.schemas.curve import CurveLocation, Relation
from gandl_shared.schemas.vocabulary import Verdict

from tests.analysis.example.screen import example_analysis

CURVES = example_analysis().curves


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_headline_uses_the_words_and_the_colour_of_the_verdict(verdict: Verdict) -> None:
    figure = dose_response_figure(CURVES[0].model_copy(update={"verdict": verdict}))
    title, result = figure.texts
    assert title.get_text() == "Remdesivir · HRCE"
    assert result.get_text() == f"{verdict.label}, {ec50_text(CURVES[0].ec50)}"
    assert result.get_color() == PALETTE[verdict.colour]


@pytest.mark.parametrize(
    ("value", "relation", "low", "high", "text"),
    [
        (0.012, Relation.EQUAL, 0.011, 0.013, "EC50 = 0.012 µM (0.011 to 0.013)"),
        (33.0, Relation.ABOVE, 24.0, None, "EC50 > 33 µM"),
        (2.0, Relation.EQUAL, None, None, "EC50 = 2 µM"),
        (None, None, None, None, ""),
    ],
)
def test_the_ec50_as_text(
    value: float | None, relation: Relation | None, low: float | None, high: float | None, text: str
) -> None:
    assert ec50_text(CurveLocation(value=value, relation=relation, low=low, high=high, unit="uM", method="m")) == text


def test_cards_have_no_headline_and_share_their_range() -> None:
    for curve in (CURVES[0], CURVES[8]):
        figure = dose_response_card(curve, (4.4, 2.9))
        low, high = figure.axes[0].get_ylim()
        assert figure.texts == []
        assert low <= -1.35 and high >= 1.35


def test_a_dose_of_zero_is_left_of_the_lowest_dose() -> None:
    points = CURVES[0].points
    vehicle = points[0].model_copy(update={"concentration": 0.0})
    axes = dose_response_figure(CURVES[0].model_copy(update={"points": (vehicle, *points)})).axes[0]
    assert axes.get_xticklabels()[0].get_text() == "0"
    assert axes.get_xlim()[0] < axes.get_xticks()[0] < 0.01


def test_doses_off_the_axis_are_shaded_and_others_are_not() -> None:
    toxic = next(curve for curve in CURVES if curve.verdict is Verdict.TOXIC)
    assert ">off axis " in to_svg(dose_response_figure(toxic))
    assert ">off axis " not in to_svg(dose_response_figure(CURVES[0]))


def test_without_controls_there_is_no_midpoint_line() -> None:
    def dashed(midpoint: float | None) -> int:
        lines = dose_response_figure(CURVES[0], midpoint=midpoint).axes[0].lines
        return sum(line.get_linestyle() == "--" for line in lines)

    assert (dashed(0.0), dashed(None)) == (1, 0)
