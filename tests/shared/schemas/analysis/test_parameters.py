"""The parameters of an analysis: what the preset of the paper fixes, and values that contradict each other."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.analysis import PAPER, AnalysisParameters, AxisChoice, QualityThresholds
from pydantic import ValidationError

GROUPS = {"positive": {"compound": ("X",)}, "negative": {"role": ("negative_control",)}}


def test_the_preset_of_the_paper_sets_what_the_paper_did() -> None:
    parameters = AnalysisParameters(preset="paper", seed=3)
    assert {name: getattr(parameters, name) for name in PAPER} == dict(PAPER)
    assert parameters.seed == 3


def test_stored_parameters_of_the_preset_are_read_back() -> None:
    parameters = AnalysisParameters(preset="paper")
    assert AnalysisParameters.model_validate_json(parameters.model_dump_json()) == parameters


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"preset": "paper", "whitening": "within_class"}, "preset paper fixes whitening at raw"),
        ({"preset": "paper", "axis_from": {"screen": "s"}}, "preset paper fits its own axis"),
        ({"axes": [{"name": "a", **GROUPS}, {"name": "a", **GROUPS}]}, "the name a is used twice"),
        ({"whitening": "zca"}, "within_class"),
        ({"regularization": 1.0}, "Extra inputs are not permitted"),
    ],
    ids=["whitening", "axis_from", "names", "word", "spelling"],
)
def test_contradictions_are_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        AnalysisParameters.model_validate(fields)


@pytest.mark.parametrize("name", ["E2", "E2-mine", "C2", "C2:HRCE"])
def test_names_of_the_standard_axes_are_reserved(name: str) -> None:
    with pytest.raises(ValidationError, match="reserved|should match pattern"):
        AxisChoice.model_validate({"name": name, **GROUPS})


def test_usable_is_not_above_good() -> None:
    assert QualityThresholds(good=0.2, usable=0.2).usable == 0.2
    with pytest.raises(ValidationError, match="usable 0.3 is above good 0.2"):
        QualityThresholds(good=0.2, usable=0.3)
