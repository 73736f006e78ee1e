"""Curves that are asked for agree with published fits: fixed plateaus, free slopes, 5PL and hormesis.

The tables and the sources of the values are those of `../shared/reference/README.md`. NIST's values are certified
(Statistical Reference Datasets, nonlinear regression); lettuce is the Brain-Cousens model of drc (`BC.4`), the
neutralisation curves are two-parameter fits with plateaus 0 and 1 of neutcurve.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.families.refit import first_model, refit_curves
from gandl_science.dose_response.families.request import CurveRequest, Limits, ModelRequest
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from scipy.optimize import least_squares

TABLE = Path(__file__).parent / "tables" / "published_curves.csv"
ZERO, ONE = Limits(0, 0), Limits(1, 1)


def points(name: str) -> DoseResponseData:
    with TABLE.open(newline="") as file:
        records = [record for record in csv.DictReader(file) if record["compound"] == name]
    values = [(float(record["concentration_um"]), float(record["response"])) for record in records]
    return DoseResponseData(*np.array(values).T)


def fit(name: str, request: CurveRequest) -> CurveFit:
    data = points(name)
    options = CurveOptions(n_null=500, robust=False, model=first_model(request))
    fits = fit_curves([data], options, np.random.default_rng(0))
    return refit_curves([data], fits, ["reference"], request=request, options=options)[0]


def values(curve: CurveFit) -> dict[str, float]:
    return {name: parameter.estimate for name, parameter in curve.params.items()}


def test_lettuce_is_the_brain_cousens_fit_of_drc() -> None:
    curve = fit("lettuce", CurveRequest(model=ModelRequest.BRAIN_COUSENS, bottom=ZERO))
    assert curve.rss == pytest.approx(0.12497481, abs=5e-9)
    # drc's own parameters: e is no dose with a meaning, the EC50 is where half of the left plateau is lost.
    estimate = values(curve)
    b, e = estimate["slope"], estimate["ec50"] / (1 + 2 * estimate["hormesis"]) ** (1 / estimate["slope"])
    assert (b, estimate["top"]) == pytest.approx((1.28, 0.967), abs=0.005)
    usual = (estimate["top"] + estimate["f"] * points("lettuce").concentration) / (
        1 + (points("lettuce").concentration / e) ** b
    )
    assert curve.predict(points("lettuce").concentration) == pytest.approx(usual)
    assert curve.predict(np.array([estimate["ec50"]]))[0] == pytest.approx(estimate["top"] / 2)
    assert curve.stimulation is not None and 1.1 < curve.stimulation.response < 1.25


def test_lettuce_agrees_with_an_independent_multistart_fit() -> None:
    data, rng = points("lettuce"), np.random.default_rng(3)
    curve = fit("lettuce", CurveRequest(model=ModelRequest.BRAIN_COUSENS))

    def residuals(p: Float) -> Float:
        b, c, d, e, f = p
        return c + (d - c + f * data.concentration) / (1 + (data.concentration / np.exp(e)) ** b) - data.response

    low, high = [1.0, -5.0, 0.0, np.log(0.03), 0.0], [8.0, 0.9, 3.0, np.log(1000), 50.0]
    starts = [rng.uniform([1.1, 0, 0.8, -1, 0.1], [3, 0.4, 1.2, 4, 3]) for _ in range(12)]
    costs = [2 * least_squares(residuals, start, bounds=(low, high)).cost for start in starts]
    assert curve.rss == pytest.approx(min(costs), rel=1e-6)


def test_rat43_is_the_certified_five_parameter_fit() -> None:
    curve = fit("NIST_Rat43", CurveRequest(model=ModelRequest.FIVE_PARAMETER, bottom=ZERO))
    estimate = values(curve)
    assert curve.rss == pytest.approx(8.7864049080e3, rel=1e-9)
    assert estimate["top"] == pytest.approx(6.9964151270e2, rel=1e-6)
    assert estimate["slope"] == pytest.approx(7.5962938329e-1, rel=1e-5)
    assert estimate["asymmetry"] == pytest.approx(1 / 1.2792483859, rel=1e-5)
    assert curve.params["top"].se == pytest.approx(1.6302297817e1, rel=1e-3), "certified standard error"
    location = np.exp(5.2771253025 / 7.5962938329e-1)
    assert estimate["ec50"] == pytest.approx(location * (2**1.2792483859 - 1) ** (-1 / 7.5962938329e-1), rel=1e-4)


def test_rat42_is_the_certified_fit_with_a_lower_plateau_of_zero() -> None:
    curve = fit("NIST_Rat42", CurveRequest(bottom=ZERO, slope=Limits(0.01, 8)))
    estimate = values(curve)
    assert curve.rss == pytest.approx(8.0565229338, rel=1e-9)
    assert estimate["top"] == pytest.approx(72.462237576, rel=1e-6)
    assert estimate["slope"] == pytest.approx(0.067359200066, rel=1e-5)
    assert (curve.params["top"].se, curve.params["slope"].se) == pytest.approx(
        (1.7340283401, 3.4465663377e-3), rel=1e-3
    )


@pytest.mark.parametrize(
    ("name", "ic50"),
    [
        ("neutcurve SerumAd0_A India-PUN-NIV328484 2021", 0.0025),
        ("neutcurve SerumAd0_A Togo 0274", 0.0016),
        ("neutcurve SerumBd0_A SouthAfrica R14850", 0.00098),
    ],
)
def test_neutralisation_curves_with_plateaus_zero_and_one(name: str, ic50: float) -> None:
    curve = fit(name, CurveRequest(bottom=ZERO, top=ONE))
    assert curve.ec50 is not None and float(f"{curve.ec50.estimate:.2g}") == ic50
    assert curve.ec50.low is not None and curve.ec50.high is not None and curve.ec50.high / curve.ec50.low < 2.5
