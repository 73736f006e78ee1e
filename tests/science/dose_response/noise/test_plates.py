"""Plate effects: removed where doses share plates, averaged where plates are replicates, refused otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float, Index
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.noise.plates import correct_plates
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData

DOSES = np.geomspace(0.01, 10.0, 6)


def fits(dose: Index, plate: Index, responses: Float) -> tuple[CurveFit, ...]:
    data = [DoseResponseData(DOSES[dose], y, plate) for y in responses]
    return fit_curves(data, CurveOptions(n_null=4000), np.random.default_rng(0))


def test_plates_that_hold_every_dose_cancel_to_the_last_bit() -> None:
    dose, plate = np.tile(np.arange(6), 3), np.repeat(np.arange(3), 6)
    y = np.random.default_rng(0).normal(size=18)
    shifted = correct_plates(dose, plate, y + np.array([0.0, 5.0, -2.0])[plate])
    plain = correct_plates(dose, plate, y)
    assert shifted.response - plain.response == pytest.approx(np.full(18, 1.0))
    assert plain.weight.sum() == pytest.approx(16.0)
    assert (plain.efficiency, plain.is_confounded) == (pytest.approx(1.0), False)


def test_plates_that_are_replicates_become_their_means() -> None:
    dose, plate = np.repeat(np.arange(6), 4), np.repeat(np.arange(12), 2)
    y = np.arange(24.0)
    correction = correct_plates(dose, plate, y)
    assert correction.response[:4] == pytest.approx([0.5, 0.5, 2.5, 2.5])
    assert correction.replicate.sum() == pytest.approx(12.0)


@pytest.mark.parametrize("plate", [np.repeat(np.arange(6), 3), np.repeat([0, 1], 9)])
def test_doses_that_share_no_plate_with_the_others_are_refused(plate: Index) -> None:
    dose = np.repeat(np.arange(6), 3)
    (fit,) = fits(dose, plate, (dose > 2).astype(float)[None])
    assert fit.is_confounded
    assert fit.p_value is None


def test_one_plate_needs_no_correction() -> None:
    y = np.random.default_rng(1).normal(size=18)
    assert correct_plates(np.repeat(np.arange(6), 3), np.zeros(18, int), y).response is y


@pytest.mark.parametrize("design", ["crossed", "nested", "partial"])
def test_the_activity_test_holds_its_level_with_plates_that_differ(design: str) -> None:
    """600 inert compounds, intraclass correlation 0.5 (without plates the test calls 30 to 55 % at the level 5 %)."""
    rng = np.random.default_rng(4)
    dose = np.tile(np.arange(6), 3) if design == "crossed" else np.repeat(np.arange(6), 6)
    if design == "crossed":
        plate = np.repeat(np.arange(3), 6)
    elif design == "nested":
        plate = np.repeat(np.arange(18), 2)
    else:
        plate = rng.permutation(np.arange(36) % 4)
    y = rng.normal(size=(600, plate.max() + 1))[:, plate] + rng.normal(size=(600, dose.size))
    p = np.array([fit.p_value for fit in fits(dose, plate, y)], float)
    assert np.mean(p <= 0.05) < 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 600)


def test_an_effect_is_found_beneath_plates_that_differ() -> None:
    rng = np.random.default_rng(5)
    dose, plate = np.tile(np.arange(6), 3), np.repeat(np.arange(3), 6)
    curve = -1 + 2 / (1 + (0.3 / DOSES[dose]) ** 1.5)
    (fit,) = fits(dose, plate, (curve + 3 * np.arange(3)[plate] + 0.1 * rng.normal(size=18))[None])
    assert fit.ec50 is not None
    assert fit.ec50.estimate == pytest.approx(0.3, rel=0.2)
