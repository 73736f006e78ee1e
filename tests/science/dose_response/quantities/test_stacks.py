"""Fits side by side give the curves of each alone."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.quantities.stacks import of_equal_length, predict_curves, stack_curves
from gandl_science.dose_response.records.fit import CurveFit, ParameterEstimate
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.records.vocabulary import CurveModel

DOSES = np.repeat(np.geomspace(0.01, 10.0, 6), 3)


def fits() -> list[CurveFit]:
    """Return an inert compound, one that rises, one that falls, and a bell."""
    rng = np.random.default_rng(0)
    rise = 2 / (1 + (0.3 / DOSES) ** 1.5)
    bell = 3 / (1 + (0.05 / DOSES) ** 2) / (1 + (DOSES / 2) ** 3)
    data = [
        DoseResponseData(DOSES, truth + 0.1 * rng.normal(size=DOSES.size)) for truth in (0 * rise, rise, -rise, bell)
    ]
    return list(fit_curves(data, CurveOptions(n_null=500), rng))


def test_fits_of_all_models_are_predicted_as_each_alone() -> None:
    curves = fits()
    assert [fit.model for fit in curves] == ["constant", "hill", "hill", "gain_loss"]
    x = np.array([[0.0, 0.02, 0.5], [0.1, 1.0, 9.0], [0.1, 1.0, 9.0], [0.0, 0.3, 20.0]])
    together = predict_curves(curves, x)
    for fit, own, response in zip(curves, x, together, strict=True):
        assert response == pytest.approx(fit.predict(own), rel=1e-12)


def test_derivatives_are_those_of_the_response() -> None:
    (stack,) = [stack for stack in stack_curves(fits()) if stack.model is CurveModel.HILL]
    x, step = np.array([[0.1, 1.0, 9.0]] * 2), 1e-6
    gradient = stack.gradient(x)
    for k in range(2):
        moved = stack.theta.copy()
        moved[:, k] += step
        other = type(stack)(members=stack.members, model=stack.model, theta=moved, left=stack.left, right=stack.right)
        assert gradient[:, k] == pytest.approx((other.response(x) - stack.response(x)) / step, rel=1e-4, abs=1e-6)


def test_a_model_that_a_user_asks_for_is_predicted_too() -> None:
    hill = fits()[1]
    values = {"bottom": 0.0, "top": 1.0, "ec50": 0.3, "slope": 1.0, "asymmetry": 1.0}
    params = {name: ParameterEstimate(estimate=v, se=None, at_bound=False) for name, v in values.items()}
    five = CurveFit(**{**vars(hill), "model": CurveModel.FIVE_PARAMETER, "params": params})
    assert predict_curves([five], np.array([[0.3]]))[0] == pytest.approx(five.predict(np.array([0.3])))


def test_arrays_of_equal_length_are_put_side_by_side() -> None:
    arrays = [np.arange(2.0), np.arange(3.0), np.ones(2)]
    groups = {rows.shape[1]: (places.tolist(), rows.tolist()) for places, rows in of_equal_length(arrays)}
    assert groups == {2: ([0, 2], [[0.0, 1.0], [1.0, 1.0]]), 3: ([1], [[0.0, 1.0, 2.0]])}
