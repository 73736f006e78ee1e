"""Weights from the table and from the response: right estimates, the exact test, and refusals by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.curves.compounds import fit_wells
from gandl_analysis.pipeline.curves.settings import CurveSettings
from gandl_analysis.pipeline.curves.weighting import Weighting, check_weighting, screen_weights
from gandl_analysis.pipeline.curves.wells import CurveWell
from gandl_science.arrays import Float
from gandl_science.dose_response.records.inputs import CurveOptions
from gandl_science.dose_response.records.vocabulary import Null
from gandl_shared.errors import Invalid, InvalidTable
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters
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


WEIGHTED = AnalysisParameters.model_validate({"curves": {"weights": "column"}})


def plate_well(name: str, role: Role = Role.TREATMENT, plate: str = "P1", **metadata: str) -> Well:
    return Well(
        plate=plate,
        well=name,
        role=role,
        compound="x",
        concentration_um=1.0,
        cell_line="U",
        table_row=7,
        metadata=metadata,
    )


def test_the_weights_of_a_screen_are_a_column_of_its_plate_map() -> None:
    table = [plate_well("A1", weight="0.25"), plate_well("A2", Metadata_Weight=" 4 "), plate_well("A3", Role.NEGATIVE)]
    assert screen_weights(WEIGHTED, table) == {("P1", "A1"): 0.25, ("P1", "A2"): 4.0}
    assert screen_weights(AnalysisParameters(), [plate_well("A1", weight="heavy")]) == {}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([plate_well("A1")], "row 7, weight: the plate map needs one column of this name.*there are 0"),
        ([plate_well("A1", weight="1", Metadata_weight="2")], "there are 2"),
        ([plate_well("A1", weight="0,5")], "row 7, weight: '0,5' is not a number above 0"),
        ([plate_well("A1", weight="1,000")], "'1,000' is not a number above 0"),
        ([plate_well("A1", weight="2 mg")], "'2 mg' is not a number above 0"),
        ([plate_well("A1", weight="0")], "'0' is not a number above 0"),
        ([plate_well("A1", weight="")], "'' is not a number above 0"),
        ([plate_well("A1", weight="nan")], "'nan' is not a number above 0"),
        ([plate_well("A1", weight="1"), plate_well("A1", plate="P2", weight="1")], "x in U lies on several plates"),
    ],
)
def test_weights_of_a_screen_that_have_no_meaning_are_refused(table: list[Well], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        screen_weights(WEIGHTED, table)


def test_controls_need_weights_where_they_are_the_vehicle() -> None:
    table = [plate_well("A1", weight="1"), plate_well("A2", Role.NEGATIVE), plate_well("A3", Role.POSITIVE)]
    with pytest.raises(Invalid, match="there are 0"):
        screen_weights(WEIGHTED.model_copy(update={"vehicle": True}), table)


def test_weights_and_a_null_of_its_own_scatter_exclude_each_other() -> None:
    with pytest.raises(ValueError, match=r"noise\.null permutation and curves\.weights column exclude each other"):
        AnalysisParameters.model_validate({"curves": {"weights": "column"}, "noise": {"null": "permutation"}})
    with pytest.raises(ValueError, match="'none' or 'column'"):
        AnalysisParameters.model_validate({"curves": {"weights": "1/y"}})
