"""A curve is written with plain values, read back equal, and refuses what the vocabulary does not have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gandl_shared.schemas.curve import Curve, CurveLocation, CurveModel, CurveWindow, Relation, WindowLimit
from gandl_shared.schemas.vocabulary import Flag, Verdict
from pydantic import ValidationError

NOWHERE = {"value": None, "relation": None, "low": None, "high": None, "unit": "uM", "method": ""}
PLAIN: dict[str, Any] = {
    "compound": "x",
    "cell_line": "U2OS",
    "screen": None,
    "model": "hill",
    "aicc": {"constant": 1.0, "hill": 0.5},
    "params": {},
    "ec50": NOWHERE,
    "loss_ec50": None,
    "crosses_zero_at": None,
    "emax": {"fitted": 0.9, "observed": 0.8, "at": 10.0},
    "auc": 0.5,
    "p_value": 1e-12,
    "q_value": 1e-11,
    "lack_of_fit_p": None,
    "n_doses": 6,
    "n_wells": 24,
    "verdict": "active_biphasic",
    "flags": ["ec50_below_range"],
    "points": [],
    "fitted": [[0.1, -1.0]],
}  # Any: JSON of a curve


def test_values_of_the_vocabulary_are_plain_text_in_json() -> None:
    curve = Curve.model_validate(PLAIN)
    assert (curve.model, curve.verdict, curve.flags) == (
        CurveModel.HILL,
        Verdict.ACTIVE_BIPHASIC,
        (Flag.EC50_BELOW_RANGE,),
    )
    line = json.loads(curve.model_dump_json())
    assert {name: line[name] for name in ("model", "aicc", "verdict", "flags")} == {
        name: PLAIN[name] for name in ("model", "aicc", "verdict", "flags")
    }
    assert Curve.model_validate_json(curve.model_dump_json()) == curve


@pytest.mark.parametrize(
    "wrong",
    [{"verdict": "dead"}, {"flags": ["odd"]}, {"model": "spline"}, {"p_value": 1.5}, {"colour": "red"}],
    ids=["verdict", "flag", "model", "probability", "field"],
)
def test_what_is_not_in_the_schema_is_refused(wrong: dict[str, Any]) -> None:  # Any: JSON of a field
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Curve.model_validate(PLAIN | wrong)


def test_a_window_is_never_smaller_than_it_is_reported() -> None:
    window = {"low": 0.1, "high": 1.0, "fold": 10.0, "limited_by": "loss"}
    assert CurveWindow.model_validate({**window, "relation": ">"}).limited_by is WindowLimit.LOSS
    with pytest.raises(ValidationError, match="relation"):
        CurveWindow.model_validate({**window, "relation": "<"})


def test_a_location_reads_its_relation_from_the_sign() -> None:
    location = CurveLocation.model_validate({**NOWHERE, "value": 3.0, "relation": "<", "high": 3.0})
    assert location.relation is Relation.BELOW
