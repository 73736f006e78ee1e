"""Whatever the numbers: the unit changes nothing, and ugly data give an answer that keeps the schema's promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.curve_wells import CurveWell
from gandl_analysis.pipeline.curves import CurveSettings, efficacy_settings, fit_wells
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.results import CurveFit, CurveOptions, DoseResponseData

FAST = CurveOptions(n_null=200, n_bootstrap=20)


def fit(dose_unit: float = 1.0, gain: float = 1.0, offset: float = 0.0) -> CurveFit:
    c = np.repeat(np.geomspace(0.01, 10.0, 6), 4)
    y = -1 + 2 / (1 + (0.3 / c) ** 1.5) + np.random.default_rng(0).normal(size=24) * 0.2
    data = DoseResponseData(c * dose_unit, y * gain + offset)
    return fit_curves([data], FAST, np.random.default_rng(0))[0]


@pytest.mark.parametrize(("dose_unit", "gain", "offset"), [(1e-9, 1e12, 0.0), (1e6, 1e-12, 0.0), (1.0, -1.0, 1e6)])
def test_units_and_offsets_change_nothing(dose_unit: float, gain: float, offset: float) -> None:
    """To 1e-6: an offset of a million leaves ten digits of the response."""
    plain, other = fit(), fit(dose_unit, gain, offset)
    assert (plain.model, other.model) == ("hill", "hill")
    assert plain.ec50 is not None and other.ec50 is not None
    ends = [(f.ec50.estimate, f.ec50.low, f.ec50.high) for f in (plain, other) if f.ec50 is not None]
    assert [v / dose_unit for v in ends[1] if v is not None] == pytest.approx(ends[0], rel=1e-6)
    assert other.params["slope"].estimate == pytest.approx(plain.params["slope"].estimate, rel=1e-6)
    assert other.lack_of_fit_p == pytest.approx(plain.lack_of_fit_p, rel=1e-5)


def ugly(kind: int, size: int, rng: np.random.Generator) -> Float:
    """Normal, rounded, Cauchy, constant, a few ones, twenty orders of magnitude, almost equal."""
    makers = (
        lambda: rng.normal(size=size),
        lambda: np.round(rng.normal(size=size)),
        lambda: rng.standard_cauchy(size=size),
        lambda: np.zeros(size),
        lambda: (rng.random(size) < 0.1) * 1.0,
        lambda: np.exp(20 * rng.normal(size=size)),
        lambda: 1e6 + 1e-3 * rng.normal(size=size),
    )
    return np.asarray(makers[kind]())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("error")
def test_ugly_tables_are_answered_without_a_made_up_number(seed: int) -> None:
    rng = np.random.default_rng(seed)
    doses = np.geomspace(10 ** rng.uniform(-6, 0), 10 ** rng.uniform(0.1, 6), rng.integers(1, 10))
    doses[0] *= rng.random() < 0.7
    c = np.repeat(doses, rng.integers(1, 6))
    wells = [
        CurveWell(
            compound=f"compound {kind}",
            cell_line="U",
            concentration=float(dose),
            response=float(y) * 10.0 ** rng.integers(-3, 3),
        )
        for kind in range(7)
        for dose, y in zip(c, ugly(kind, c.size, rng), strict=True)
    ]
    for settings in (CurveSettings(options=FAST), replace(efficacy_settings(), options=FAST)):
        for curve in fit_wells(wells, settings):
            ec50 = curve.ec50
            assert (ec50.value is None) == (ec50.relation is None)
            if ec50.relation == "=":
                assert ec50.low is not None and ec50.value is not None and ec50.high is not None
                assert ec50.low <= ec50.value <= ec50.high
                assert doses.min() <= ec50.value <= doses.max()
            assert curve.model_dump_json()
