"""Profile intervals: their ends satisfy the likelihood criterion, open sides stay open, and they cover the truth."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.intervals.locations import ShapeFit, profile_intervals, standard_errors
from gandl_science.dose_response.models import GAIN_LOSS, HILL, Shape
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.solver.curves import solve
from gandl_science.dose_response.solver.polish import polish
from gandl_science.dose_response.verdict.interpretation import InterpretationRules, interpret_curve
from scipy.optimize import curve_fit
from scipy.stats import binomtest
from scipy.stats import f as f_distribution

DOSES = np.repeat(np.geomspace(0.01, 10.0, 6), 6)


def hill(c: Float, ec50: float, slope: float = 1.5) -> Float:
    return -1.0 + 2.0 / (1.0 + (ec50 / c) ** slope)


def shape_fit(shape: Shape, responses: list[Float]) -> ShapeFit:
    _, design = next(designs([DoseResponseData(DOSES, y) for y in responses], CurveOptions(robust=False)))
    best = solve(design.data, shape, design.space, 3)
    return ShapeFit(data=design.data, shape=shape, space=design.space, best=best)


@pytest.mark.parametrize("shape", [HILL, GAIN_LOSS])
def test_the_ends_satisfy_the_criterion(shape: Shape) -> None:
    rng = np.random.default_rng(1)
    truth = hill(DOSES, 0.1) if shape is HILL else hill(DOSES, 0.1) - 2.0 / (1 + (3.0 / DOSES) ** 3)
    fit = shape_fit(shape, [truth + rng.normal(size=36) * 0.15 for _ in range(5)])
    allowed = fit.best.misfit + fit.variance * f_distribution.ppf(0.95, 1, fit.residual_df)
    for end in (ends[:, 0] for ends in profile_intervals(fit, 0.95)):
        closed = np.isfinite(end)
        theta = fit.best.theta.copy()
        theta[:, 0] = np.where(closed, end, theta[:, 0])
        profile = polish(fit.data, shape, fit.space, theta, fixed=0)
        assert closed.any()
        # The excess over the best misfit, in units of what is allowed: 1 at an end.
        ratio = (profile.misfit - fit.best.misfit) / (allowed - fit.best.misfit)
        assert ratio[closed] == pytest.approx(np.ones(closed.sum()), abs=0.05)


def test_standard_errors_are_those_of_scipy() -> None:
    y = hill(DOSES, 0.3) + np.random.default_rng(4).normal(size=36) * 0.2
    fit = shape_fit(HILL, [y])

    def model(c: Float, ec50: float, slope: float, bottom: float, top: float) -> Float:
        return bottom + (top - bottom) / (1 + (ec50 / c) ** slope)

    best, covariance = curve_fit(model, DOSES, y, p0=[0.3, 1.5, -1, 1])
    assert fit.natural_theta[0] == pytest.approx(best[:2], rel=1e-5)
    assert standard_errors(fit)[0] == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)


def test_an_ec50_beyond_the_doses_is_open_above_and_never_a_number() -> None:
    """A true EC50 of 180 tested to 100: an interval that is open above or at least holds 180, in 19 of 20."""
    rng = np.random.default_rng(8)
    c = np.repeat(np.geomspace(0.1, 100.0, 6), 4)
    data = [DoseResponseData(c, hill(c, 180.0, 1.2) + rng.normal(size=c.size) * 0.15) for _ in range(60)]
    fits = [f for f in fit_curves(data, CurveOptions(n_null=1000), rng) if f.ec50 is not None]
    covers = [(f.ec50.low or 0.0) <= 180.0 <= (f.ec50.high or np.inf) for f in fits if f.ec50 is not None]
    assert len(covers) > 40
    assert np.mean(covers) > 0.85
    assert np.mean([f.ec50.high is None for f in fits if f.ec50 is not None]) > 0.4


@pytest.mark.slow
def test_coverage_of_the_interval() -> None:
    """Nominal 95 %, accepted 93 to 98: 500 curves, so the observed rate must be compatible with that band."""
    rng = np.random.default_rng(0)
    data = [DoseResponseData(DOSES, hill(DOSES, 0.3) + rng.normal(size=36) * 0.25) for _ in range(500)]
    ends = [f.ec50 for f in fit_curves(data, CurveOptions(n_null=1000), rng) if f.model == "hill"]
    covers = sum((e.low or 0) <= 0.3 <= (e.high or np.inf) for e in ends if e is not None)
    low, high = binomtest(covers, len(ends)).proportion_ci(0.99)
    assert high > 0.93
    assert low < 0.98


def test_the_interval_of_a_step_is_the_gap_between_two_doses() -> None:
    """The data say which two doses the step is between, and the bound of the slope must say no more."""
    doses = np.repeat([0.0, *np.geomspace(0.01, 10.0, 7)], 2)
    response = np.where(doses < 0.2, 100.0, 0.0) + np.random.default_rng(3).normal(size=doses.size)
    curve = fit_curves([DoseResponseData(doses, response)], CurveOptions(n_null=500), np.random.default_rng(0))[0]
    assert curve.ec50 is not None and curve.ec50.low is not None and curve.ec50.high is not None
    assert curve.ec50.low <= 0.1 * (1 + 1e-9) and curve.ec50.high >= 10**-0.5 * (1 - 1e-9)


def test_a_step_below_the_lowest_dose_has_no_lower_end() -> None:
    doses = np.repeat([0.0, *np.geomspace(0.01, 10.0, 7)], 3)
    response = np.where(doses > 0, 100.0, 0.0) + np.random.default_rng(3).normal(size=doses.size)
    curve = fit_curves([DoseResponseData(doses, response)], CurveOptions(n_null=500), np.random.default_rng(0))[0]
    assert curve.ec50 is not None
    assert curve.ec50.low is None


def test_parameters_that_the_doses_do_not_determine_have_no_standard_error() -> None:
    """Six doses in four replicates of a compound that rescues at 0.4 and poisons at 10, in a simulated screen.

    The best gain-loss curve misses the means of the doses. Its upper plateau is 2.5 on a scale that ends at 1, to which
    a generalised inverse gives the error 0.09; another plateau fits as well.
    """
    doses = [0.09487, 0.3, 0.9487, 3.0, 9.487, 30.0]
    means = [-0.7909, -0.0845, 0.5315, 0.9126, 0.2271, -0.8902]
    x = np.repeat(doses, 4)
    y = np.repeat(means, 4) + 0.12 * np.tile([-1.0, 1.0, -0.7, 0.7], 6)
    (fit,) = fit_curves([DoseResponseData(x, y)], CurveOptions(scale=ResponseScale()), np.random.default_rng(0))
    assert fit.model is CurveModel.GAIN_LOSS
    assert {name for name, parameter in fit.params.items() if parameter.se is not None} == set()
    meaning = interpret_curve(fit, fit.p_value, InterpretationRules(scale=ResponseScale()))
    assert (meaning.verdict, meaning.ec50.value) == ("active_biphasic", None)
    assert "limbs_overlap" in meaning.flags
    assert meaning.midpoint_crossing == pytest.approx(0.36, rel=0.1)
