"""How numbers are written."""

from __future__ import annotations

import pytest
from gandl_analysis.report import numbers
from gandl_shared.schemas.curve import CurveLocation


@pytest.mark.parametrize(
    ("value", "relation", "low", "high", "location", "interval"),
    [
        (1.4, "=", 1.08, 1.89, "1.40 µM", "1.08 – 1.89 µM"),
        (0.012, "=", 0.011, 0.013, "12.0 nM", "11.0 – 13.0 nM"),
        (0.0996, "=", 0.05, 0.2, "0.0996 µM", "50.0 nM – 0.200 µM"),
        (31.25, ">", 24.0, None, "> 31.2 µM", "≥ 24.0 µM"),
        (0.01, "<", None, 0.0135, "< 10.0 nM", "≤ 13.5 nM"),
        (2.0, "=", None, None, "2.00 µM", "no bound on either side"),
        (31.25, ">", None, None, "> 31.2 µM", ""),
        (None, None, None, None, "–", ""),
    ],
)
def test_an_ec50_and_its_interval(
    value: float | None, relation: str | None, low: float | None, high: float | None, location: str, interval: str
) -> None:
    ec50 = CurveLocation.model_validate(
        {"value": value, "relation": relation, "low": low, "high": high, "unit": "uM", "method": "m"}
    )
    assert (numbers.location(ec50), numbers.interval(ec50)) == (location, interval)


def test_a_unit_that_is_not_micromolar_stays() -> None:
    assert numbers.concentration(0.01, "mg/ml") == "0.0100 mg/ml"
    assert numbers.concentration(0.0) == "0.00 µM"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (123.4, "123"), (99999.0, "99,999"), (2.1e-6, "2.10 × 10⁻⁶"), (-0.5, "−0.500"), (None, "–")],
)
def test_a_number(value: float | None, text: str) -> None:
    assert numbers.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.5, "+0.50"), (-0.5, "−0.50"), (None, "–")])
def test_a_fixed_number_with_its_sign(value: float | None, text: str) -> None:
    assert numbers.fixed(value, sign=True) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "< 0.0001"), (0.0005, "0.0005"), (0.041, "0.041"), (0.5, "0.50"), (None, "–")]
)
def test_a_p_value(p: float | None, text: str) -> None:
    assert numbers.p_value(p) == text


def test_a_count_and_a_share() -> None:
    assert [numbers.count(n, "well") for n in (0, 1, 1204)] == ["0 wells", "1 well", "1,204 wells"]
    assert numbers.count(2, "assay", "assays") == "2 assays"
    assert numbers.share(0.025) == "2 %"
