"""An item names exactly what its level needs."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.analysis import ExcludedItem, Exclusion
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"level": "plate", "plate": "P1"}, "plate P1"),
        ({"level": "well", "plate": "P1", "well": "A01"}, "well A01 of plate P1"),
        ({"level": "site", "plate": "P1", "well": "A01", "site": "2"}, "well A01 of plate P1, site 2"),
        ({"level": "point", "plate": "P1", "well": "A01"}, "point of well A01 of plate P1"),
        (
            {"level": "dose", "compound": "X", "concentration_um": 0.5, "cell_line": "U2OS"},
            "dose 0.5 µM of X in U2OS",
        ),
    ],
)
def test_each_level_says_what_it_is(fields: dict[str, object], text: str) -> None:
    item = ExcludedItem.model_validate(fields)
    assert str(item) == text
    exclusion = Exclusion.model_validate(fields | {"reason": "r", "author": "Ann", "decision": 1})
    assert exclusion.item == item


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"level": "well", "plate": "P1"}, "needs well"),
        ({"level": "plate", "plate": "P1", "well": "A01"}, "has no well"),
        ({"level": "dose", "compound": "X"}, "needs concentration_um"),
        ({"level": "point", "plate": "P1", "well": "A01", "cell_line": "U2OS"}, "has no cell_line"),
        ({"level": "plate", "plate": "P\0"}, "plate"),
    ],
)
def test_a_field_too_many_or_too_few_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ExcludedItem.model_validate(fields)


def test_a_reason_of_spaces_is_none() -> None:
    fields = {"level": "plate", "plate": "P1", "author": "Ann", "decision": 1}
    with pytest.raises(ValidationError, match="reason"):
        Exclusion.model_validate(fields | {"reason": "  "})
