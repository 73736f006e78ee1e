"""EC50s that are reported as bounds are true, also where the true EC50 lies within the doses."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.verdict.interpretation import (
    InterpretationRules,
    ReportedConcentration,
    interpret_curve,
)

C = np.repeat(np.geomspace(0.01, 10.0, 6), 3)


def fits_of(ec50: float, slope: float, noise: float, n: int) -> tuple[CurveFit, ...]:
    rng = np.random.default_rng([round(1000 * ec50), round(10 * slope)])
    truth: Float = -1 + 2 / (1 + (ec50 / C) ** slope)
    data = [DoseResponseData(C, truth + noise * rng.normal(size=C.size)) for _ in range(n)]
    return fit_curves(data, CurveOptions(n_null=1000), rng)


def reported(fit: CurveFit) -> ReportedConcentration:
    return interpret_curve(fit, fit.p_value, InterpretationRules(scale=ResponseScale())).ec50


@pytest.mark.parametrize("ec50", [0.05, 2.0])
def test_hardly_any_bound_is_false(ec50: float) -> None:
    bounds = [reported(fit) for fit in fits_of(ec50, 0.8, 0.3, 150)]
    bounds = [bound for bound in bounds if bound.relation in ("<", ">") and bound.value is not None]
    false = [bound for bound in bounds if (bound.relation == "<") != (ec50 < (bound.value or 0.0))]
    assert len(bounds) > 40
    assert len(false) <= 2


def test_a_bound_is_surer_than_the_end_of_the_interval() -> None:
    fits = [fit for fit in fits_of(0.02, 1.0, 0.2, 30) if fit.ec50 is not None and fit.ec50.low is None]
    pairs = [(fit.ec50.high, fit.ec50.below) for fit in fits if fit.ec50 is not None]
    assert len(pairs) > 10
    # Both may be the end of the same gap between two doses.
    assert all(high <= below for high, below in pairs if high is not None and below is not None)
    assert sum(below is None or high != below for high, below in pairs) > len(pairs) / 2
    fit = fits[0]
    assert fit.ec50 is not None
    assert reported(fit).high == fit.ec50.below


def test_an_estimate_with_a_closed_interval_has_no_bound() -> None:
    (fit,) = fits_of(0.3, 1.5, 0.1, 1)
    assert fit.ec50 is not None
    assert fit.ec50.low is not None and fit.ec50.high is not None
    assert (fit.ec50.above, fit.ec50.below) == (None, None)
