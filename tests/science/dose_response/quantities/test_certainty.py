"""Errors of Emax, area and band by the delta method, the covariance as reported, and what is told of a crossing."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.quantities.certainty import (
    absolute_ec50,
    area_uncertainties,
    curve_bands,
    emax_uncertainties,
    parameter_covariances,
)
from gandl_science.dose_response.records.fit import CurveFit, LevelCrossing
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale, ScaleError
from gandl_science.dose_response.records.vocabulary import Relation
from gandl_science.dose_response.verdict.summary import summarise_curve
from scipy.optimize import curve_fit

DOSES = np.repeat(np.geomspace(0.01, 10.0, 6), 6)
SCALE = ResponseScale()


def curves(n: int, *, seed: int = 0, sign: float = 1.0, noise: float = 0.25) -> list[CurveFit]:
    rng = np.random.default_rng(seed)
    truth = sign * (-1.0 + 2.0 / (1.0 + (0.3 / DOSES) ** 1.5))
    data = [DoseResponseData(DOSES, truth + rng.normal(size=DOSES.size) * noise) for _ in range(n)]
    return list(fit_curves(data, CurveOptions(n_null=500, robust=False), rng))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_covariance_is_that_of_scipy(sign: float) -> None:
    rng = np.random.default_rng(0)
    response = sign * (-1.0 + 2.0 / (1.0 + (0.3 / DOSES) ** 1.5)) + rng.normal(size=DOSES.size) * 0.25
    (fit,) = fit_curves([DoseResponseData(DOSES, response)], CurveOptions(n_null=500, robust=False), rng)
    (covariance,) = parameter_covariances([fit])

    def model(c: Float, ec50: float, slope: float, bottom: float, top: float) -> Float:
        return bottom + (top - bottom) / (1 + (ec50 / c) ** (sign * slope))

    expected = curve_fit(model, DOSES, response, p0=[0.3, 1.5, -1, 1])[1]
    assert covariance is not None
    assert covariance.names == ("ec50", "slope", "bottom", "top")
    assert covariance.matrix == pytest.approx(expected, rel=2e-3, abs=1e-6)
    errors = [fit.params[name].se for name in covariance.names]
    assert np.sqrt(np.diagonal(covariance.matrix)) == pytest.approx(errors, rel=1e-9)


def test_intervals_of_emax_and_area_and_the_band_hold_the_truth() -> None:
    truth = -1.0 + 2.0 / (1.0 + (0.3 / np.geomspace(0.01, 10.0, 2001)) ** 1.5)
    area = (float(np.trapezoid(truth, dx=1 / 2000)) + 1) / 2
    covered = {"emax": 0, "area": 0, "band": 0}
    fits = curves(120)
    summaries, unknown = [summarise_curve(fit, SCALE) for fit in fits], [None] * 120
    low, high = curve_bands(fits, np.tile(DOSES, (120, 1)))
    emax, auc = emax_uncertainties(summaries, unknown), area_uncertainties(summaries, unknown)
    for peak, integral, below, above in zip(emax, auc, low[:, 18], high[:, 18], strict=True):
        assert peak and integral
        covered["emax"] += peak.low <= truth[-1] <= peak.high
        covered["area"] += integral.low <= area <= integral.high
        covered["band"] += int(below <= -1.0 + 2.0 / (1.0 + (0.3 / DOSES[18]) ** 1.5) <= above)
    assert all(108 <= count <= 119 for count in covered.values())


def test_the_error_of_the_controls_is_part_of_emax_and_area() -> None:
    summary = summarise_curve(curves(1)[0], SCALE)
    error = ScaleError(negative=0.01, positive=0.04)
    own, both = emax_uncertainties([summary] * 2, [None, error])
    assert own and both
    # At an efficacy near 1 the error of the scale is that of the positive controls.
    assert both.se**2 - own.se**2 == pytest.approx(error.variance_at(summary.peak, SCALE))
    assert error.variance_at(1.0, SCALE) == pytest.approx(0.04)
    assert error.variance_at(0.0, SCALE) == pytest.approx(0.05 / 4)
    own, both = area_uncertainties([summary] * 2, [None, error])
    area = summary.area()
    assert own and both and area is not None
    assert both.se**2 - own.se**2 == pytest.approx(error.variance_at(2 * area - 1, SCALE) / 4)


@pytest.mark.parametrize(
    ("crossing", "reported"),
    [
        (LevelCrossing(estimate=0.5, low=0.2, high=0.9), (0.5, Relation.EQUAL)),
        (LevelCrossing(estimate=0.5, low=0.2, high=None), (0.2, Relation.ABOVE)),
        (LevelCrossing(estimate=None, low=np.inf, high=None), (10.0, Relation.ABOVE)),
        (LevelCrossing(estimate=20.0, low=4.0, high=60.0), (4.0, Relation.ABOVE)),
        (LevelCrossing(estimate=None, low=None, high=0.0), (0.01, Relation.BELOW)),
        (LevelCrossing(estimate=0.005, low=0.002, high=0.03), (0.03, Relation.BELOW)),
        (LevelCrossing(estimate=0.5, low=None, high=None), (None, None)),
        (LevelCrossing(estimate=None, low=0.005, high=None), (None, None)),
    ],
)
def test_the_absolute_ec50_is_an_estimate_or_a_certain_bound(
    crossing: LevelCrossing, reported: tuple[float | None, Relation | None]
) -> None:
    result = absolute_ec50(crossing, (0.01, 10.0))
    assert (result.value, result.relation) == reported
