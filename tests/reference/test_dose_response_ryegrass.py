"""Ryegrass (Inderjit, Streibig and Olofsdotter 2002), the classic 4PL example, against its published exact fit.

The published values are in README.md. Parameters and residual sum of squares must agree to 1e-6, because only the last
digits of two solvers differ at an optimum; errors and interval to 2e-3, which is what the definition of the interval
leaves open.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData

TABLE = Path(__file__).parent / "tables" / "ryegrass.csv"


@pytest.fixture(scope="module")
def ryegrass() -> DoseResponseData:
    with TABLE.open(newline="") as file:
        records = list(csv.DictReader(file))
    return DoseResponseData(
        np.array([float(record["conc"]) for record in records]),
        np.array([float(record["rootl"]) for record in records]),
    )


@pytest.fixture(scope="module")
def fit(ryegrass: DoseResponseData) -> CurveFit:
    return fit_curves([ryegrass], CurveOptions(), np.random.default_rng(0))[0]


def test_parameters_and_rss(fit: CurveFit) -> None:
    assert fit.model == "hill"
    assert not fit.rising
    estimates = {name: p.estimate for name, p in fit.params.items()}
    expected = {"ec50": 3.0579552, "slope": 2.9822287, "bottom": 0.4814099, "top": 7.7929623}
    assert estimates == pytest.approx(expected, rel=1e-6)
    assert fit.rss == pytest.approx(5.40021463, rel=1e-6)


def test_standard_error_and_profile_interval(fit: CurveFit) -> None:
    assert fit.params["ec50"].se == pytest.approx(0.185829, rel=2e-3)
    assert fit.ec50 is not None
    assert (fit.ec50.low, fit.ec50.high) == pytest.approx((2.6911, 3.4754), rel=2e-3)


def test_lack_of_fit(fit: CurveFit) -> None:
    assert fit.lack_of_fit_p == pytest.approx(0.8665, abs=1e-4)


def test_no_well_is_an_outlier_and_the_zero_dose_is_used(fit: CurveFit) -> None:
    assert np.all(fit.weights == 1.0)
    assert fit.doses[0].concentration == 0.0
    assert fit.doses[0].n_wells == 6
    assert fit.predict(np.zeros(1))[0] == pytest.approx(fit.params["top"].estimate, rel=1e-12)


def test_the_unit_of_dose_and_response_does_not_matter(ryegrass: DoseResponseData, fit: CurveFit) -> None:
    scaled = DoseResponseData(ryegrass.concentration * 1000.0, ryegrass.response * -50.0 + 3.0)
    other = fit_curves([scaled], CurveOptions(), np.random.default_rng(0))[0]
    assert other.params["ec50"].estimate == pytest.approx(3057.9552, rel=1e-6)
    assert other.params["slope"].estimate == pytest.approx(fit.params["slope"].estimate, rel=1e-6)
    assert other.rising
