"""The choice of the model: AICc by its formula, the test where AICc does not exist, and no bell without two limbs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.models import log_dose
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.selection import Evidence, choose_model, corrected_aic
from gandl_science.dose_response.solver.means import dose_means

AICC = {CurveModel.CONSTANT: 3.0, CurveModel.HILL: 2.0, CurveModel.GAIN_LOSS: 1.0}


def fit(c: Float, y: Float) -> CurveFit:
    return fit_curves([DoseResponseData(c, y)], CurveOptions(n_null=1000), np.random.default_rng(0))[0]


def choose(aicc: Mapping[CurveModel, float], *, has_bell: bool, p_value: float) -> CurveModel:
    return choose_model(Evidence(aicc=aicc, has_bell=has_bell, p_value=p_value, hill_p=p_value), alpha=0.05)


def test_aicc_is_the_formula_of_hurvich_and_tsai() -> None:
    wells = np.random.default_rng(0).normal(size=(1, 4, 3))
    data = dose_means(log_dose(np.array([1.0, 2.0, 3.0, 4.0])), wells, np.ones_like(wells))
    rss, n, k = ((wells - wells.mean()) ** 2).sum(), 12, 2
    expected = n * np.log(rss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    assert corrected_aic(data, data.between, 1)[0] == pytest.approx(expected)


def test_aicc_does_not_exist_without_spare_wells() -> None:
    wells = np.random.default_rng(0).normal(size=(1, 6, 1))
    data = dose_means(log_dose(np.arange(1.0, 7.0)), wells, np.ones_like(wells))
    assert np.isfinite(corrected_aic(data, data.between, 3)[0])
    assert np.isinf(corrected_aic(data, data.between, 4)[0])


def test_least_aicc_is_chosen_and_a_bell_only_where_it_is_visible() -> None:
    assert choose(AICC, has_bell=True, p_value=0.5) is CurveModel.GAIN_LOSS
    assert choose(AICC, has_bell=False, p_value=0.5) is CurveModel.HILL


@pytest.mark.parametrize(("p_value", "model"), [(0.05, CurveModel.HILL), (0.06, CurveModel.CONSTANT)])
def test_the_activity_test_decides_where_the_hill_curve_has_no_aicc(p_value: float, model: CurveModel) -> None:
    without = AICC | {CurveModel.HILL: np.inf}
    assert choose(without, has_bell=False, p_value=p_value) is model


def test_what_the_hill_test_calls_active_has_a_shape_whatever_aicc_says() -> None:
    constant_first = AICC | {CurveModel.CONSTANT: -10.0}
    assert choose(constant_first, has_bell=False, p_value=0.01) is CurveModel.HILL
    assert choose(constant_first, has_bell=True, p_value=0.01) is CurveModel.GAIN_LOSS
    assert choose(constant_first, has_bell=False, p_value=0.2) is CurveModel.CONSTANT


def test_an_effect_that_only_the_analysis_of_variance_sees_may_have_no_shape() -> None:
    constant_first = AICC | {CurveModel.CONSTANT: -10.0}
    evidence = Evidence(aicc=constant_first, has_bell=False, p_value=1e-6, hill_p=0.3)
    assert choose_model(evidence, alpha=0.05) is CurveModel.CONSTANT


def test_seven_single_wells_of_a_full_curve_are_active() -> None:
    """AICc prefers a constant there (4.4 against 12.7), although p is 2e-4."""
    c = np.array([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0])
    curve = fit(c, np.array([-0.99, -0.95, -0.72, 0.03, 0.74, 0.92, 1.01]))
    assert curve.model == "hill"
    assert curve.ec50 is not None
    assert curve.ec50.estimate == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize("scale", [None, ResponseScale(1.0, 0.0), ResponseScale(1.0, 2.0)])
def test_a_bump_before_the_effect_is_no_bell(scale: ResponseScale | None) -> None:
    """Hormesis: 1.3 times the untreated response at low doses, then a full effect with EC50 3."""
    c = np.repeat([0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0], 3)
    bump = 1 + 0.3 * np.exp(-(((np.log10(c) + 1) / 0.6) ** 2))
    y = bump / (1 + (c / 3) ** 2) + np.random.default_rng(5).normal(0, 0.04, c.size)
    options = CurveOptions(n_null=1000, scale=scale)
    (curve,) = fit_curves([DoseResponseData(c, y)], options, np.random.default_rng(0))
    assert curve.model == "hill"
    assert curve.ec50 is not None
    assert curve.ec50.estimate == pytest.approx(3.0, rel=0.25)
    assert curve.lack_of_fit_p is not None and curve.lack_of_fit_p < 0.01


@pytest.mark.parametrize(("height", "model"), [(0.6, "hill"), (1.6, "gain_loss")])
def test_a_bump_toward_the_positive_control_makes_no_hit_of_a_toxic_compound(height: float, model: str) -> None:
    """The response falls to twice the distance between the controls; a bump that passes the midpoint is an effect."""
    c = np.repeat([0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0], 3)
    y = -1 - 2 / (1 + (1.0 / c) ** 2) + height * np.exp(-(((np.log10(c) + 1.3) / 0.5) ** 2))
    y = y + np.random.default_rng(5).normal(0, 0.1, c.size)
    options = CurveOptions(n_null=1000, scale=ResponseScale())
    (curve,) = fit_curves([DoseResponseData(c, y)], options, np.random.default_rng(0))
    assert curve.model == model


def test_a_bell_in_duplicate_on_two_plates_is_seen() -> None:
    """The plate costs a well, and AICc then asks for a 14 times smaller sum of squares than that of a Hill curve."""
    c = np.tile([0.09487, 0.3, 0.9487, 3.0, 9.487, 30.0], 2)
    y = np.array([-0.65, -0.27, 0.28, 0.71, -0.18, -1.0, -0.79, -0.30, -0.05, 0.47, -0.08, -0.93])
    data = DoseResponseData(c, y, np.repeat([0, 1], 6))
    (curve,) = fit_curves([data], CurveOptions(n_null=2000, scale=ResponseScale()), np.random.default_rng(0))
    assert curve.aicc["gain_loss"] is not None and curve.aicc["constant"] is not None
    assert curve.aicc["gain_loss"] > curve.aicc["constant"]
    assert curve.model == "gain_loss"
    assert curve.loss_ec50 is not None and 3.0 < curve.loss_ec50.estimate < 30.0


def test_six_single_wells_have_no_aicc_of_a_hill_curve() -> None:
    c = np.geomspace(0.01, 10.0, 6)
    noise = np.array([0.02, -0.03, 0.01, 0.02, -0.02, 0.01])
    rise, flat = fit(c, -1.0 + 2.0 / (1.0 + (0.3 / c) ** 1.5) + noise), fit(c, noise)
    assert (rise.model, rise.aicc["hill"], rise.anova_p, rise.lack_of_fit_p) == ("hill", None, None, None)
    assert flat.model == "constant"
    assert rise.ec50 is not None
    assert rise.ec50.low is not None and rise.ec50.high is not None
    assert rise.ec50.low < 0.3 < rise.ec50.high


def test_a_dent_is_not_a_bell() -> None:
    """A gain-loss curve turned over fits a rise with a dip better, but its EC50 must not be reported."""
    c = np.repeat(np.geomspace(0.1, 100.0, 6), 4)
    y = 500 + 300 / (1 + (4.0 / c) ** 2) + np.tile([-8.0, 8.0, -12.0, 12.0], 6)
    y[4:8] -= 30.0
    curve = fit(c, y)
    hill_aicc, bell_aicc = curve.aicc["hill"], curve.aicc["gain_loss"]
    assert hill_aicc is not None and bell_aicc is not None and bell_aicc < hill_aicc
    assert curve.model == "hill"
    assert curve.ec50 is not None
    assert curve.ec50.estimate == pytest.approx(4.0, rel=0.2)


@pytest.mark.slow
def test_choice_of_model() -> None:
    """At least 97 % right over 900 curves of the three kinds (6 × 6)."""
    rng = np.random.default_rng(0)
    c = np.repeat(np.geomspace(0.01, 10, 6), 6)

    def hill(ec50: float, slope: float) -> Float:
        return -1 + 2 / (1 + (ec50 / c) ** slope)

    def bell(ec50: float, loss: float) -> Float:
        return -1 + 2 / (1 + (ec50 / c) ** 2) / (1 + (c / loss) ** 3)

    truths = {
        "constant": [np.full(36, -1.0)] * 300,
        "hill": [hill(10 ** rng.uniform(-1.3, 0.3), rng.uniform(1, 3)) for _ in range(300)],
        "gain_loss": [bell(10 ** rng.uniform(-1.3, -0.7), 10 ** rng.uniform(0.2, 0.6)) for _ in range(300)],
    }
    right = 0
    for model, curves in truths.items():
        data = [DoseResponseData(c, y + rng.normal(size=36) * 0.25) for y in curves]
        right += sum(f.model == model for f in fit_curves(data, CurveOptions(n_null=1000), rng))
    assert right / 900 >= 0.97
