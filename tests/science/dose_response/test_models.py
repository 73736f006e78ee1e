"""The shapes of a curve: textbook values, derivatives as by finite differences, a dose of zero, the search grid."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.models import GAIN_LOSS, HILL, SearchSpace, Shape, log_dose

SPACE = SearchSpace(low=-3.0, high=2.0)
X = np.linspace(-2.0, 1.0, 7)
THETA = {HILL.parameters: np.array([-0.5, 0.4]), GAIN_LOSS.parameters: np.array([-1.0, 0.5, 0.4, 1.0])}


def test_hill_is_half_way_at_its_ec50_and_symmetric_about_it() -> None:
    h = HILL.basis(np.array([-0.5, -0.8, -0.2]), np.array([-0.5, 0.7]))
    assert h[0] == pytest.approx(0.5)
    assert h[1] + h[2] == pytest.approx(1.0)


def test_hill_is_the_textbook_formula() -> None:
    dose, ec50, slope = np.array([0.1, 1.0, 7.0]), 0.6, 1.7
    h = HILL.basis(np.log10(dose), np.array([np.log10(ec50), np.log(slope)]))
    assert h == pytest.approx(1.0 / (1.0 + (ec50 / dose) ** slope), rel=1e-12)


def test_gain_loss_is_the_product_of_a_rise_and_a_fall() -> None:
    dose = np.array([0.01, 0.3, 8.0])
    h = GAIN_LOSS.basis(np.log10(dose), np.array([-1.0, np.log10(3.0), np.log(2.0), np.log(4.0)]))
    assert h == pytest.approx(1.0 / (1.0 + (0.1 / dose) ** 2) / (1.0 + (dose / 3.0) ** 4), rel=1e-12)


@pytest.mark.parametrize("shape", [HILL, GAIN_LOSS])
def test_the_gradient_is_that_of_finite_differences(shape: Shape) -> None:
    theta, step = THETA[shape.parameters], 1e-6
    by_difference: list[Float] = []
    for k in range(shape.n_theta):
        move = step * np.eye(shape.n_theta)[k]
        by_difference.append((shape.basis(X, theta + move) - shape.basis(X, theta - move)) / (2 * step))
    assert shape.gradient(X, theta) == pytest.approx(np.array(by_difference), abs=1e-8)


def test_a_dose_of_zero_is_at_the_left_plateau_to_the_last_bit() -> None:
    x = log_dose(np.array([0.0, 1.0, 10.0]))
    assert x[1:].tolist() == [0.0, 1.0]
    steepest_and_flattest = np.array([[-3.0, np.log(0.3)], [2.0, np.log(8.0)]])
    assert np.all(-1.0 + 1e9 * HILL.basis(x[:1], steepest_and_flattest) == -1.0)


def test_locations_and_slopes_are_distinguished() -> None:
    assert HILL.is_location.tolist() == [True, False]
    assert GAIN_LOSS.is_location.tolist() == [True, True, False, False]
    assert (HILL.n_parameters, GAIN_LOSS.n_parameters) == (4, 6)
