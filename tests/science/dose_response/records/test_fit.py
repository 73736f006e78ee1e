"""A fit predicts what it describes."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.records.fit import CurveFit, ParameterEstimate
from gandl_science.dose_response.records.vocabulary import CurveModel


def fit(model: CurveModel, *, rising: bool = True, **values: float) -> CurveFit:
    return CurveFit(
        model=model,
        aicc={},
        params={name: ParameterEstimate(estimate=v, se=None, at_bound=False) for name, v in values.items()},
        ec50=None,
        loss_ec50=None,
        p_value=None,
        anova_p=None,
        lack_of_fit_p=None,
        sigma=None,
        rss=0.0,
        doses=(),
        weights=np.ones(1),
        rising=rising,
    )


DOSES = np.array([0.0, 0.1, 0.3, 4.0])


def test_a_constant_predicts_its_level_everywhere() -> None:
    assert fit(CurveModel.CONSTANT, level=0.4).predict(DOSES).tolist() == [0.4] * 4


@pytest.mark.parametrize("rising", [True, False])
def test_a_hill_curve_predicts_the_textbook_formula_either_way(rising: bool) -> None:
    left, right = (-1.0, 2.0) if rising else (2.0, -1.0)
    with np.errstate(divide="ignore"):
        expected = left + (right - left) / (1.0 + (0.3 / DOSES) ** 1.7)
    curve_fit = fit(CurveModel.HILL, rising=rising, bottom=-1.0, top=2.0, ec50=0.3, slope=1.7)
    assert curve_fit.predict(DOSES) == pytest.approx(expected, rel=1e-12)


def test_a_gain_loss_curve_starts_and_ends_at_its_bottom() -> None:
    curve_fit = fit(CurveModel.GAIN_LOSS, bottom=-1.0, top=1.0, ec50=0.01, loss_ec50=10.0, slope=4.0, loss_slope=4.0)
    assert curve_fit.predict(np.array([0.0, 0.3, 1e6])) == pytest.approx([-1.0, 1.0, -1.0], abs=1e-4)
