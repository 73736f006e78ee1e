"""Size and direction of a fitted curve, against closed forms; each curve is built from its parameters, not fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.records.fit import CurveFit, DoseSummary, ParameterEstimate
from gandl_science.dose_response.records.inputs import ResponseScale
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.verdict.summary import CurveSummary, sample_curve, summarise_curve

DOSES = np.geomspace(0.01, 10.0, 6)
SCALE = ResponseScale()


def curve(
    model: CurveModel = CurveModel.HILL,
    *,
    doses: Float = DOSES,
    means: Float | None = None,
    sigma: float = 0.1,
    rising: bool = True,
    **values: float,
) -> CurveFit:
    if not values:
        values = {"bottom": -1.0, "top": 1.0, "ec50": 0.3, "slope": 1.5}
    fit = CurveFit(
        model=model,
        aicc={},
        params={name: ParameterEstimate(estimate=v, se=None, at_bound=False) for name, v in values.items()},
        ec50=None,
        loss_ec50=None,
        p_value=None,
        anova_p=None,
        lack_of_fit_p=None,
        sigma=sigma,
        rss=0.0,
        doses=(),
        weights=np.ones(4 * len(doses)),
        rising=rising,
    )
    means = fit.predict(doses) if means is None else means
    return replace(
        fit,
        doses=tuple(
            DoseSummary(concentration=float(dose), mean=float(mean), n_wells=4, low=None, high=None)
            for dose, mean in zip(doses, means, strict=True)
        ),
    )


def summary(fit: CurveFit, scale: ResponseScale | None = SCALE) -> CurveSummary:
    return summarise_curve(fit, scale)


def test_a_rise_crosses_the_midpoint_at_its_ec50_and_peaks_at_the_top_dose() -> None:
    result = summary(curve())
    assert result.midpoint_crossing() == pytest.approx(0.3, rel=1e-9)
    assert (result.direction, result.best_dose) == (1.0, 5)
    assert result.peak == pytest.approx(-1 + 2 / (1 + (0.3 / 10) ** 1.5))
    assert result.base == pytest.approx(-1 + 2 / (1 + (0.3 / 0.01) ** 1.5))


def test_the_area_is_the_softplus_integral() -> None:
    area = np.log10((1 + (10 / 0.3) ** 1.5) / (1 + (0.01 / 0.3) ** 1.5)) / 1.5 / 3.0
    assert summary(curve()).area() == pytest.approx(area, abs=1e-4)
    assert summary(curve(), None).area() == pytest.approx(-1 + 2 * area, abs=1e-4)


def test_the_covered_share_is_that_of_the_way_between_the_plateaus() -> None:
    """At an EC50 equal to the highest dose, half of the way."""
    half = {"bottom": -1.0, "top": 1.0, "ec50": 10.0, "slope": 2.0}
    assert summary(curve(**half)).covered() == pytest.approx(0.5)
    assert summary(curve(rising=False, **half)).covered() == pytest.approx(0.5)


def test_a_falling_curve_goes_the_wanted_way_where_the_controls_are_turned() -> None:
    falling = curve(rising=False)
    assert (summary(falling).direction, summary(falling).wanted_direction) == (-1.0, 1.0)
    assert summary(falling, ResponseScale(1.0, -1.0)).wanted_direction == -1.0
    assert summary(falling).peak == pytest.approx(1 - 2 / (1 + (0.3 / 10) ** 1.5))


def test_a_constant_never_crosses_and_goes_the_wanted_way() -> None:
    flat = curve(CurveModel.CONSTANT, level=0.9)
    assert summary(flat).midpoint_crossing() is None
    assert summary(flat, ResponseScale(1.0, -1.0)).direction == -1.0
    assert not summary(flat).is_large(0.1)


def test_without_controls_there_is_no_midpoint_and_every_change_is_large() -> None:
    unknown = summary(curve(), None)
    assert unknown.midpoint_crossing() is None
    assert unknown.is_large(10.0)
    assert not unknown.starts_active and not unknown.always_active


def test_a_curve_starts_active_beyond_two_standard_errors_of_the_midpoint() -> None:
    """Four wells with sigma 0.1: the standard error of a dose is 0.05."""
    assert not summary(curve(CurveModel.CONSTANT, level=0.09)).starts_active
    assert summary(curve(CurveModel.CONSTANT, level=0.11)).starts_active
    lost = np.array([0.9, 0.9, 0.9, 0.9, 0.9, -0.1])
    assert not summary(curve(CurveModel.CONSTANT, means=lost, level=0.5)).always_active
    assert summary(curve(CurveModel.CONSTANT, level=0.5)).always_active


def test_a_single_active_dose_is_one_that_no_neighbour_supports() -> None:
    spike = np.array([-1.0, -1.0, 0.5, -1.0, -1.0, -1.0])
    assert summary(curve(CurveModel.CONSTANT, means=spike, level=-1.0)).has_single_active_dose()
    assert summary(curve(ec50=6.0, slope=8.0, bottom=-1.0, top=1.0)).has_single_active_dose()
    assert not summary(curve()).has_single_active_dose()


def test_samples_are_even_in_logarithm_and_end_at_the_tested_doses() -> None:
    x, y = sample_curve(curve(doses=np.array([0.0, *DOSES])), 81)
    assert (x[0], x[-1], x.size, y.size) == (0.01, 10.0, 81, 81)
    assert np.diff(np.log(x)) == pytest.approx(np.full(80, np.log(1000) / 80))


@pytest.mark.parametrize(("doses", "size"), [([0.0], 1), ([2.0], 1), ([0.0, 2.0], 1)])
def test_without_two_doses_above_zero_there_is_no_range(doses: list[float], size: int) -> None:
    result = summary(curve(CurveModel.CONSTANT, doses=np.array(doses), level=0.0))
    assert result.sample_x.size == size
    assert result.area() is None
