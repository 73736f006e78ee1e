"""The request of a screen, and its states."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from pydantic import ValidationError


@pytest.mark.parametrize("fields", [{}, {"plate_map": "m.csv", "plate_map_csv": "plate,well"}])
def test_a_request_has_exactly_one_plate_map(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="send exactly one of plate_map"):
        ScreenRequest.model_validate({"images": "plate", **fields})


@pytest.mark.parametrize("model", [".", "..", "a/b", "a\\b", "", "a\nb", "x" * 201])
def test_a_model_is_a_name_and_not_a_path(model: str) -> None:
    with pytest.raises(ValidationError):
        ScreenRequest.model_validate({"images": "plate", "plate_map": "m.csv", "model": model})


@pytest.mark.parametrize("model", ["gandl-bbbc013-64", "my model (v2)", "µ_1+2"])
def test_names_of_models(model: str) -> None:
    assert ScreenRequest.model_validate({"images": "plate", "plate_map": "m.csv", "model": model}).model == model


def test_a_screen_ends_in_three_ways() -> None:
    assert {state for state in ScreenState if state.has_ended} == {"done", "failed", "cancelled"}
