"""Numbers as short texts."""

from __future__ import annotations

import pytest
from gandl.terminal.texts import fixed, interval_text, location_text
from gandl_shared.schemas.curve import CurveLocation


def location(
    value: float | None, relation: str | None, low: float | None = None, high: float | None = None
) -> CurveLocation:
    return CurveLocation.model_validate(
        {"value": value, "relation": relation, "low": low, "high": high, "unit": "uM", "method": ""}
    )


@pytest.mark.parametrize(
    ("ec50", "text", "interval"),
    [
        (location(0.012345, "=", 0.01, 0.02), "0.0123", "0.01 to 0.02"),
        (location(30, ">", 25.04, None), "> 30", "25 to …"),
        (location(0.1, "<", None, 0.2), "< 0.1", "… to 0.2"),
        (location(0.1, "="), "0.1", ""),
        (location(None, None), "", ""),
    ],
)
def test_an_ec50_has_three_digits_its_relation_and_open_sides(ec50: CurveLocation, text: str, interval: str) -> None:
    assert (location_text(ec50), interval_text(ec50)) == (text, interval)


def test_fixed_digits() -> None:
    assert (fixed(0.125, 2), fixed(3.0, 0), fixed(None, 2)) == ("0.12", "3", "")
