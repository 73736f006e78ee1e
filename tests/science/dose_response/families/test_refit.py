"""Curves as a user asks for them: published optima, right degrees of freedom, and no effect where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.families.refit import first_model, refit_curves
from gandl_science.dose_response.families.request import CurveRequest, Limits, ModelRequest, Plateau
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.verdict.interpretation import InterpretationRules, interpret_curve

C = np.repeat(np.geomspace(0.01, 30, 8), 3)
ZERO, ONE = Limits(0, 0), Limits(1, 1)


def hill(ec50: float, slope: float = 1.5, top: float = 1.0) -> Float:
    return top / (1 + (ec50 / C) ** slope)


def fit(request: CurveRequest, *responses: Float, groups: tuple[str, ...] = ()) -> tuple[CurveFit, ...]:
    options = CurveOptions(n_null=500, robust=False, model=first_model(request))
    data = [DoseResponseData(C, y) for y in responses]
    fits = fit_curves(data, options, np.random.default_rng(0))
    return refit_curves(data, fits, groups or ("line",) * len(data), request=request, options=options)


def noise(seed: int, sd: float = 0.05) -> Float:
    return np.random.default_rng(seed).normal(size=C.size) * sd


def test_fixed_plateaus_count_as_known() -> None:
    (fixed,), (free,) = (fit(request, hill(1.0) + noise(1)) for request in (FIXED, CurveRequest()))
    assert (fixed.params["bottom"].estimate, fixed.params["top"].estimate) == (0.0, 1.0)
    assert fixed.params["top"].is_fixed and fixed.params["top"].se is None
    assert fixed.sigma is not None and fixed.sigma == pytest.approx(np.sqrt(fixed.rss / (24 - 2)))
    k, n = 3, 24
    aicc = n * np.log(fixed.rss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    assert fixed.aicc[CurveModel.HILL] == pytest.approx(aicc)
    assert fixed.ec50 is not None and free.ec50 is not None
    assert fixed.ec50.high / fixed.ec50.low < free.ec50.high / free.ec50.low  # type: ignore[operator]
    assert fixed.p_value == free.p_value, "limits are no evidence"


FIXED = CurveRequest(bottom=ZERO, top=ONE)


def test_a_falling_curve_has_its_bottom_on_the_right() -> None:
    (curve,) = fit(FIXED, 1 - hill(0.4) + noise(2))
    assert not curve.rising
    assert curve.predict(np.array([0.0, 1e9])) == pytest.approx([1.0, 0.0])
    assert curve.ec50 is not None and curve.ec50.low is not None and curve.ec50.high is not None
    assert curve.ec50.low < 0.4 < curve.ec50.high


def test_responses_in_other_units_have_the_same_ec50() -> None:
    y = hill(1.0) + noise(3)
    (ours,), (other,) = fit(FIXED, y), fit(CurveRequest(bottom=ZERO, top=Limits(4e6, 4e6)), y * 4e6)
    assert ours.ec50 is not None and other.ec50 is not None
    assert other.ec50.estimate == pytest.approx(ours.ec50.estimate, rel=1e-6)
    assert other.rss == pytest.approx(ours.rss * 16e12, rel=1e-6)


def test_an_inert_compound_stays_constant_and_takes_no_part_in_shared_plateaus() -> None:
    shared = CurveRequest(shared=frozenset({Plateau.TOP}), bottom=ZERO)
    curves = [hill(0.3) + noise(4), hill(2.0) + noise(5)]
    with_inert = fit(shared, *curves, noise(14))
    assert with_inert[2].p_value is not None and with_inert[2].p_value > 0.05
    assert with_inert[0].params["top"] == fit(shared, *curves)[0].params["top"]


def test_each_group_has_its_own_shared_plateau_and_one_variance() -> None:
    shared = CurveRequest(shared=frozenset({Plateau.TOP}))
    responses = [
        hill(0.3) + noise(6),
        hill(8.0) + noise(17),
        hill(0.5, top=3.0) + noise(8),
        hill(4.0, top=3.0) + noise(9),
    ]
    fits = fit(shared, *responses, groups=("a", "a", "b", "b"))
    tops = [each.params["top"].estimate for each in fits]
    assert tops[0] == tops[1] == pytest.approx(1.0, abs=0.06)
    assert tops[2] == tops[3] == pytest.approx(3.0, abs=0.1)
    assert fits[0].sigma == fits[1].sigma
    assert fits[0].aicc[CurveModel.HILL] is None, "a curve of a joint fit has no AICc of its own"
    assert fits[1].ec50 is not None and fits[1].ec50.high is not None and fits[1].ec50.low is not None
    assert fits[1].ec50.low < 8.0 < fits[1].ec50.high


def test_five_parameters_recover_an_asymmetric_curve() -> None:
    y = (1 + (0.5 / C) ** 3.0) ** -0.3
    truth = 0.5 * (2 ** (1 / 0.3) - 1) ** (-1 / 3.0)
    (curve,) = fit(CurveRequest(model=ModelRequest.FIVE_PARAMETER), y + noise(10, 0.01))
    assert curve.model is CurveModel.FIVE_PARAMETER
    assert curve.ec50 is not None and curve.ec50.estimate == pytest.approx(truth, rel=0.05)
    assert curve.predict(np.array([truth]))[0] == pytest.approx(0.5, abs=0.02)


def test_hormesis_is_told_with_its_dose_and_height() -> None:
    b, d, e, f = 2.5, 1.0, 2.0, 0.6
    x = np.geomspace(0.01, 30, 100_001)
    truth = (d + f * x) / (1 + (x / e) ** b)
    y = (d + f * C) / (1 + (C / e) ** b)
    (curve,) = fit(CurveRequest(model=ModelRequest.BRAIN_COUSENS, bottom=ZERO), y + noise(12, 0.02))
    assert curve.ec50 is not None and curve.stimulation is not None
    assert curve.ec50.low is not None and curve.ec50.high is not None
    assert curve.ec50.low < x[np.flatnonzero(truth > 0.5)[-1]] < curve.ec50.high
    assert curve.stimulation.concentration == pytest.approx(x[truth.argmax()], rel=0.2)
    assert curve.stimulation.response == pytest.approx(truth.max(), abs=0.05)
    assert curve.params["f"].estimate == pytest.approx(f, rel=0.3)


def test_without_stimulation_a_brain_cousens_curve_is_a_hill_curve() -> None:
    y = 1 - hill(1.0, slope=2.0)
    (curve,) = fit(CurveRequest(model=ModelRequest.BRAIN_COUSENS), y - 0.02 * np.exp(-((np.log10(C) + 1) ** 2)))
    assert curve.params["hormesis"].at_bound and curve.stimulation is None
    assert curve.ec50 is not None and curve.ec50.estimate == pytest.approx(1.0, rel=0.05)


def test_a_shape_alone_is_fitted_by_the_common_solver() -> None:
    y = hill(0.3) * (1 - hill(10.0, 3.0)) + noise(13)
    assert fit(CurveRequest(), y)[0].model is CurveModel.GAIN_LOSS
    assert fit(CurveRequest(model=ModelRequest.HILL), y)[0].model is CurveModel.HILL
    assert fit(CurveRequest(model=ModelRequest.GAIN_LOSS), hill(0.3) + noise(1))[0].model is CurveModel.GAIN_LOSS
    assert fit(CurveRequest(model=ModelRequest.HILL), noise(14))[0].model is CurveModel.CONSTANT


def test_hormesis_whose_loss_is_not_seen_has_no_ec50() -> None:
    c, y = C[C <= 1], ((1 + 0.6 * C) / (1 + (C / 2.0) ** 2.5))[C <= 1]
    request = CurveRequest(model=ModelRequest.BRAIN_COUSENS)
    options = CurveOptions(n_null=500, model=first_model(request))
    data = [DoseResponseData(c, y + np.random.default_rng(1).normal(size=c.size) * 0.01)]
    fits = fit_curves(data, options, np.random.default_rng(0))
    (curve,) = refit_curves(data, fits, ["line"], request=request, options=options)
    interpretation = interpret_curve(curve, 1e-6, InterpretationRules())
    assert curve.model is CurveModel.BRAIN_COUSENS and interpretation.ec50.relation is None


def test_an_interval_is_there_where_a_search_ends_elsewhere_from_another_side() -> None:
    """The profile of this curve has two branches, and the root finder once saw both ends of its interval above it."""
    doses = np.repeat(np.geomspace(0.01, 10, 9), 4)
    noise = np.random.default_rng(0).normal(size=(93, doses.size))[92] * 0.15
    data = [DoseResponseData(doses, 1 / (1 + (0.5 / doses) ** 1.5) + noise)]
    request, options = CurveRequest(bottom=Limits(-0.05, 0.05)), CurveOptions(n_null=200)
    fits = fit_curves(data, options, np.random.default_rng(0))
    ec50 = refit_curves(data, fits, [""], request=request, options=options)[0].ec50
    assert ec50 is not None and ec50.low is not None and ec50.high is not None
    assert ec50.low < 0.5 < ec50.high
