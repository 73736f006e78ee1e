"""Weights from the table and from the response: right estimates, the exact test, and refusals by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.curves.compounds import fit_wells
from gandl_analysis.pipeline.curves.settings import CurveSettings
from gandl_analysis.pipeline.curves.weighting import Weighting, check_weighting
from gandl_analysis.pipeline.curves.wells import CurveWell
from gandl_science.arrays import Float
from gandl_science.dose_response.results import CurveOptions, Null
from gandl_shared.errors import InvalidTable
from scipy.optimize import curve_fit

C = np.repeat(np.geomspace(0.01, 10, 7), 3)
SETTINGS = CurveSettings(options=CurveOptions(n_null=500))


def hill(c: Float, log_ec50: float, slope: float, bottom: float, top: float) -> Float:
    return bottom + (top - bottom) / (1 + np.exp(slope * (log_ec50 - np.log(c))))


TRUE = hill(C, np.log(0.5), 1.5, 2.0, 100.0)


def wells(responses: Float, weights: Sequence[float | None] | None = None) -> list[CurveWell]:
    return [
        CurveWell(compound="x", cell_line="U", concentration=c, response=y, weight=w, table_row=k + 2)
        for k, (c, y, w) in enumerate(zip(C, responses, weights or [None] * C.size, strict=True))
    ]


def test_weights_of_the_table_are_those_of_an_independent_fit() -> None:
    sd = np.where(C > 2, 8.0, 2.0)
    y = TRUE + np.random.default_rng(3).normal(size=C.size) * sd
    curve = fit_wells(wells(y, (3 / sd**2).tolist()), SETTINGS)[0]
    estimate, covariance = curve_fit(hill, C, y, (-0.7, 1.5, 2, 100), sigma=sd)
    errors = np.sqrt(np.diag(covariance))
    assert curve.params["ec50"].estimate == pytest.approx(np.exp(estimate[0]), rel=1e-4)
    assert curve.params["ec50"].se == pytest.approx(np.exp(estimate[0]) * errors[0], rel=1e-3)
    assert curve.params["top"].se == pytest.approx(errors[3], rel=1e-3)
    assert {point.weight for point in curve.points} == {1.0}, "no well is an outlier besides"


def test_equal_weights_change_nothing() -> None:
    y = TRUE + np.random.default_rng(4).normal(size=C.size)
    # Without weights the checks of the noise may overrule the test; weights say how wells scatter.
    normal = replace(SETTINGS, options=replace(SETTINGS.options, null=Null.NORMAL))
    ours, plain = (fit_wells(wells(y, weights), normal)[0] for weights in ([5.0] * C.size, None))
    assert ours.params == plain.params and ours.p_value == plain.p_value


def test_a_relative_error_is_that_of_iterated_weights_and_the_test_is_without_them() -> None:
    y = TRUE * (1 + np.random.default_rng(5).normal(size=C.size) * 0.1)
    plain = fit_wells(wells(y), replace(SETTINGS, options=replace(SETTINGS.options, robust=False)))[0]
    curve = fit_wells(wells(y), replace(SETTINGS, weighting=Weighting.RELATIVE))[0]
    estimate, _ = curve_fit(hill, C, y, (-0.7, 1.5, 2, 100))
    for _ in range(2):
        estimate, _ = curve_fit(hill, C, y, estimate, sigma=np.maximum(hill(C, *estimate), y.min()))
    assert curve.params["ec50"].estimate == pytest.approx(np.exp(estimate[0]), rel=0.02)
    assert curve.params["bottom"].se is not None and plain.params["bottom"].se is not None
    assert curve.params["bottom"].se < 0.5 * plain.params["bottom"].se
    assert curve.p_value == fit_wells(wells(y), SETTINGS)[0].p_value


def test_a_relative_error_needs_responses_above_zero() -> None:
    table = wells(np.where(C > 9, -1.0, TRUE))
    check_weighting(table, Weighting.COLUMN)
    with pytest.raises(InvalidTable, match="row 20, response: -1 is not above 0"):
        check_weighting(table, Weighting.POISSON)


def test_weights_and_several_plates_are_refused() -> None:
    table = [replace(well, plate=f"P{k % 3}") for k, well in enumerate(wells(TRUE))]
    check_weighting(table, Weighting.NONE)
    with pytest.raises(InvalidTable, match="x in U lies on several plates"):
        check_weighting(table, Weighting.COLUMN)
