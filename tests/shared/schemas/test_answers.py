"""Answers are read back as they were written, and unknown fields are refused."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.answers import CompoundSummary, Page
from pydantic import ValidationError

SUMMARY = CompoundSummary(id="A%2FB", compound="A/B", cell_lines=("U2OS",), screens=("s",))


def test_a_page_knows_the_type_of_its_items() -> None:
    page = Page[CompoundSummary](items=(SUMMARY,), total=3, offset=2, limit=1)
    assert Page[CompoundSummary].model_validate_json(page.model_dump_json()) == page
    with pytest.raises(ValidationError):
        Page[CompoundSummary].model_validate({"items": [{"compound": "X"}], "total": 1, "offset": 0, "limit": 1})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        CompoundSummary.model_validate({**SUMMARY.model_dump(), "colour": "red"})
