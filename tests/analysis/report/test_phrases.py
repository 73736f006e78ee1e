"""Grades, groups of wells and parameters in words."""

from __future__ import annotations

import pytest
from gandl_analysis.report.phrases import GRADES, grade_phrase, parameter_list, sentence, well_group
from gandl_shared.schemas.analysis import AnalysisParameters, AxisChoice, Exclusion, ExclusionLevel
from gandl_shared.schemas.curve import CurveChoice


@pytest.mark.parametrize(
    ("grade", "mark"), [("good", "✓"), ("usable", "~"), ("poor", "!"), ("undetermined", "–"), (None, "–")]
)
def test_the_phrase_follows_the_verdict_of_the_analysis(grade: str | None, mark: str) -> None:
    phrase = grade_phrase(grade)
    assert phrase.mark == mark
    assert phrase.label == (grade if grade in GRADES else "no verdict")


def test_a_group_of_wells_names_unusual_columns_only() -> None:
    group = {"cell_line": ("VERO",), "role": ("positive_control", "negative_control"), "batch_id": ("7",)}
    assert well_group(group) == "VERO, positive control or negative control, batch id 7"


def test_parameters_name_the_requested_axes() -> None:
    choice = AxisChoice(name="mine", positive={"compound": ("X",)}, negative={"role": ("negative_control",)})
    text = parameter_list(AnalysisParameters(axes=(choice,), normalisation="align"))
    assert "normalisation align" in text and "axis mine" in text and "quality thresholds good 0.5" in text
    assert "axis" not in parameter_list(AnalysisParameters())


def test_parameters_name_what_is_left_out_and_what_the_curves_are_in_words() -> None:
    bubble = Exclusion(level=ExclusionLevel.WELL, plate="P1", well="B07", reason="a bubble", author="Ann", decision=1)
    text = parameter_list(AnalysisParameters(exclusions=(bubble,), curves=CurveChoice(top=1.0)))
    assert "; well B07 of plate P1 excluded by Ann: a bubble;" in text
    assert "; curves with model auto, top 1.0, weights none;" in text
    assert "{" not in text


def test_a_sentence_starts_with_a_capital_and_stays_as_it_is() -> None:
    assert sentence("only Z′ was computed") == "Only Z′ was computed"
    assert sentence("") == ""
