"""Schemas are frozen values, and a misspelt field is an error."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.base import FileBytes, Frozen
from pydantic import ValidationError


class Dose(Frozen):
    """A small schema."""

    um: float


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ValidationError, match="uM"):
        Dose.model_validate({"um": 1.0, "uM": 2.0})


def test_a_value_cannot_be_changed() -> None:
    dose = Dose(um=1.0)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(dose, "um", 2.0)  # noqa: B010  (an assignment would be an error of types before it is one of values)


def test_the_parameters_of_an_analysis_are_such_a_value() -> None:
    with pytest.raises(ValidationError, match="sead"):
        AnalysisParameters.model_validate({"sead": 1})


class Attachment(Frozen):
    """A schema with a file in it."""

    content: FileBytes


def test_a_file_in_base64_may_be_broken_into_lines() -> None:
    assert Attachment.model_validate({"content": "YWJj\r\nZGU=\n"}).content == b"abcde"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("YW$Jj", r"'\$' \(character 3\) does not belong to base64"),
        ("YWé=", "'é' .character 3. does not belong to base64"),
        ("YWJjZ", "the text of 5 characters ends too early for base64"),
        ("data:text/csv;base64,YWJj", "this is a data URL; send only what follows its comma"),
    ],
)
def test_a_character_of_another_alphabet_is_named_and_not_passed_over(text: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Attachment.model_validate({"content": text})
