"""The EC50 of each form is the dose of its half effect, and the forms are those of the literature."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.families.shapes import (
    BRAIN_COUSENS,
    FIVE_PARAMETER,
    HILL_FAMILY,
    FamilyShape,
    predict_family,
    stimulation_ratio,
)

DOSES = np.array([0.0, 0.01, 0.4, 2.0, 30.0, 1e5])
VALUES = {"ec50": 0.4, "slope": 1.7, "asymmetry": 0.3, "hormesis": 2.0, "bottom": -3.0, "top": 5.0}


@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize("shape", [HILL_FAMILY, FIVE_PARAMETER, BRAIN_COUSENS])
def test_the_ec50_is_the_dose_of_the_half_effect(shape: FamilyShape, rising: bool) -> None:
    y = predict_family(shape, VALUES, DOSES, rising=rising)
    assert y[2] == pytest.approx(1.0)
    assert (y[0], round(float(y[-1]), 1)) == ((-3.0, 5.0) if rising else (5.0, -3.0))


@pytest.mark.parametrize("direction", [1, -1])
def test_five_parameters_are_those_of_richards(direction: int) -> None:
    asymmetry, slope, location = 0.3, 1.7, 0.9
    usual = -3 + 8 * (1 + (location / DOSES[1:]) ** (direction * slope)) ** -asymmetry
    ec50 = location * (2 ** (1 / asymmetry) - 1) ** (-direction / slope)
    ours = predict_family(FIVE_PARAMETER, {**VALUES, "ec50": ec50}, DOSES[1:], rising=direction > 0)
    assert ours == pytest.approx(usual)


def test_brain_cousens_is_that_of_1989_and_its_peak_is_the_largest_response() -> None:
    b, c, d, e, f = 2.2, 0.1, 1.0, 3.0, 0.8
    x = np.geomspace(1e-4, 1e3, 20_001)
    usual = c + (d - c + f * x) / (1 + (x / e) ** b)
    ec50 = float(x[np.flatnonzero(usual > (c + d) / 2)[-1]])
    values = {"ec50": ec50, "slope": b, "hormesis": f * ec50 / (d - c), "bottom": c, "top": d}
    assert predict_family(BRAIN_COUSENS, values, x, rising=False) == pytest.approx(usual, rel=2e-4)
    ratio = stimulation_ratio(b, values["hormesis"])
    assert ratio is not None and ratio * ec50 == pytest.approx(x[usual.argmax()], rel=1e-3)


def test_without_stimulation_there_is_no_peak() -> None:
    assert stimulation_ratio(2.0, 1e-3) is None
    assert stimulation_ratio(1.0, 5.0) is None
