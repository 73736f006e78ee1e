"""Limits are read from the texts that people write, and choices that contradict each other are refused by name."""

from __future__ import annotations

import math

import pytest
from gandl_science.dose_response.families.request import CurveRequest, Limits, ModelRequest, Plateau


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("100", (100, 100)),
        ("-1", (-1, -1)),
        ("0:10", (0, 10)),
        (" 0.5 : 3 ", (0.5, 3)),
        ("0:", (0, math.inf)),
        (":-2", (-math.inf, -2)),
    ],
)
def test_a_number_fixes_and_a_colon_bounds(text: str, limits: tuple[float, float]) -> None:
    parsed = Limits.parse(text)
    assert (parsed.low, parsed.high) == limits
    assert parsed.is_fixed == (limits[0] == limits[1])


@pytest.mark.parametrize("text", ["zero", "", ":", "1:2:3", "nan", "inf", "10:0", "0,10"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a number|open on both|above the upper"):
        Limits.parse(text)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"bottom": Limits(100, 100), "top": Limits(0, 0)}, "bottom: 100 is not below the top"),
        ({"bottom": Limits(5, 5), "top": Limits(5, 5)}, "bottom: 5 is not below the top"),
        ({"top": Limits(1, 1), "shared": frozenset({Plateau.TOP})}, "share: top is fixed at 1"),
        ({"slope": Limits(-1, -1)}, "slope: give numbers above 0"),
        ({"slope": Limits(0.5, math.inf)}, "slope: give numbers above 0"),
        ({"model": ModelRequest.GAIN_LOSS, "bottom": Limits(0, 0)}, "model: gain_loss has no limits"),
        ({"model": ModelRequest.BRAIN_COUSENS, "slope": Limits(0.5, 1)}, "slope: a Brain-Cousens curve"),
    ],
)
def test_contradictions_name_the_field(choices: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        CurveRequest(**choices)  # type: ignore[arg-type]


def test_only_what_the_common_solver_cannot_do_is_fitted_again() -> None:
    assert not CurveRequest().needs_refit
    assert not CurveRequest(model=ModelRequest.HILL).needs_refit
    assert CurveRequest(model=ModelRequest.FIVE_PARAMETER).needs_refit
    assert CurveRequest(bottom=Limits(0, 0)).needs_refit
