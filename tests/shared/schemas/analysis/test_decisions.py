"""A decision has the subject that its kind needs."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.analysis.decisions import DecisionRequest
from pydantic import ValidationError

WHO = {"reason": "a bubble", "author": "Ann"}
PLATE = {"level": "plate", "plate": "P1"}
CURVE = {"compound": "X", "cell_line": "U2OS"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "exclude"}, "needs items"),
        ({"kind": "restore", "items": [PLATE], "curve": CURVE}, "no curve"),
        ({"kind": "exclude", "items": [PLATE, PLATE]}, "listed twice"),
        ({"kind": "assess", "curve": CURVE}, "give a verdict"),
        ({"kind": "assess", "curve": {**CURVE, "ec50_um": 0}}, "greater than 0"),
        ({"kind": "withdraw", "curve": {**CURVE, "ec50_um": 1}}, "none of them to withdraw"),
        ({"kind": "assess", "items": [PLATE]}, "needs a curve"),
        ({"kind": "exclude", "items": [PLATE], "author": "A\nB"}, "author"),
    ],
)
def test_what_does_not_belong_together_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DecisionRequest.model_validate(WHO | fields)
