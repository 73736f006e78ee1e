"""Limits must leave every channel a range."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.limits import IntensityLimits
from pydantic import ValidationError


@pytest.mark.parametrize(("low", "high"), [((1.0,), (1.0,)), ((2.0,), (1.0,)), ((0.0,), (1.0, 2.0)), ((0.0,), ())])
def test_limits_without_a_range_are_refused(low: tuple[float, ...], high: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="each high above its low"):
        IntensityLimits(low=low, high=high)


def test_limits_come_back_from_json() -> None:
    limits = IntensityLimits(low=(0.0, 1.5), high=(255.0, 200.25))
    assert IntensityLimits.model_validate_json(limits.model_dump_json()) == limits
