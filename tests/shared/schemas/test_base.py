"""Schemas are frozen values, and a misspelt field is an error."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.base import Frozen
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
