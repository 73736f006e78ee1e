"""Tables in which compounds are the vehicle or the controls: roles, zero doses by plate, scales with their errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.curves.potency import potency_ratios, reference_name
from gandl_analysis.pipeline.curves.settings import CurveSettings
from gandl_analysis.pipeline.curves.table_fit import TableRoles, fit_table, table_roles
from gandl_analysis.pipeline.curves.wells import CurveWell
from gandl_science.dose_response.records.inputs import CurveOptions, ResponseScale
from gandl_shared.errors import BadInput

SETTINGS = CurveSettings(options=CurveOptions(n_null=1000))
DOSES = np.geomspace(0.01, 10.0, 6)


def row(compound: str, dose: float, response: float, plate: str = "P1") -> CurveWell:
    return CurveWell(compound=compound, cell_line="U2OS", concentration=dose, response=response, plate=plate)


def table(seed: int = 0, *, plates: tuple[str, ...] = ("P1",)) -> list[CurveWell]:
    """Two compounds of the same form, the second a third as potent, six vehicle and four positive wells a plate."""
    rng = np.random.default_rng(seed)
    rows = []
    for plate in plates:
        rows += [row("DMSO", 0.0, rng.normal() * 5, plate) for _ in range(6)]
        rows += [row("Full", 5.0, 100 + rng.normal() * 5, plate) for _ in range(4)]
        for name, ec50 in (("A", 0.3), ("B", 0.9)):
            rows += [
                row(name, d, 100 / (1 + (ec50 / d) ** 1.5) + rng.normal() * 5, plate) for d in DOSES for _ in "123"
            ]
    return rows


def test_the_vehicle_is_the_zero_dose_of_every_other_compound() -> None:
    plain = fit_table(table(), SETTINGS, TableRoles(), None)
    curves = fit_table(table(), SETTINGS, TableRoles(vehicle="DMSO"), None)
    assert [curve.compound for curve in plain] == ["DMSO", "Full", "A", "B"]
    assert [curve.compound for curve in curves] == ["Full", "A", "B"]
    for curve in curves[1:]:
        assert curve.doses[0].concentration == 0
        assert (curve.doses[0].n_wells, curve.n_doses, curve.n_wells) == (6, 7, 24)
        assert sum(point.is_vehicle for point in curve.points) == 6
    (with_vehicle, without) = (next(c for c in group if c.compound == "A") for group in (curves, plain))
    assert (with_vehicle.params["bottom"].se or 1) < (without.params["bottom"].se or 0)


def test_only_the_vehicle_of_its_own_plates_belongs_to_a_compound() -> None:
    rows = [*table(plates=("P1",)), *(replace(well, plate="P2") for well in table(1) if well.compound in ("DMSO", "B"))]
    curves = {curve.compound: curve for curve in fit_table(rows, SETTINGS, TableRoles(vehicle="DMSO"), None)}
    assert {point.plate for point in curves["A"].points} == {"P1"}
    assert [sum(p.is_vehicle for p in curves[name].points) for name in ("A", "B")] == [6, 12]


def test_controls_by_name_give_the_scale_and_its_error() -> None:
    _, roles = table_roles("DMSO, Full", None)
    by_name = {curve.compound: curve for curve in fit_table(table(), SETTINGS, roles, None)}
    assert list(by_name) == ["A", "B"]
    negative = np.mean([w.response for w in table() if w.compound == "DMSO"])
    positive = np.mean([w.response for w in table() if w.compound == "Full"])
    assert by_name["A"].absolute_level == pytest.approx((negative + positive) / 2)
    rules = replace(SETTINGS.rules, scale=ResponseScale(float(negative), float(positive)))
    numbers = {c.compound: c for c in fit_table(table(), replace(SETTINGS, rules=rules), TableRoles(), None)}
    named, plain = by_name["A"], numbers["A"]
    assert named.emax.fitted == plain.emax.fitted
    # The means of the controls have an error, which a pair of numbers has not.
    assert (named.emax.se or 0) > (plain.emax.se or 1)
    assert named.absolute_ec50 and plain.absolute_ec50
    assert (named.absolute_ec50.low or 1) < (plain.absolute_ec50.low or 0)


@pytest.mark.parametrize("controls", ["1", "1,1", "DMSO", "DMSO,DMSO", "DMSO,1", "1,2,3", ","])
def test_controls_are_two_numbers_or_two_names(controls: str) -> None:
    with pytest.raises(BadInput, match="two different numbers, such as -1,1, or the names of two compounds"):
        table_roles(controls, None)


def test_numbers_are_a_scale() -> None:
    assert table_roles("0,100", "DMSO") == (ResponseScale(0, 100), TableRoles(vehicle="DMSO"))
    assert table_roles(None, None) == (None, TableRoles())


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (TableRoles(vehicle="DMS0"), "'DMS0' is no compound of the table; it has DMSO, Full, A, B"),
        (TableRoles(negative="DMSO", positive="A"), "A has 6 doses in U2OS; a control has one"),
    ],
)
def test_a_name_that_cannot_be_meant_is_refused(roles: TableRoles, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        fit_table(table(), SETTINGS, roles, None)


def test_potencies_are_ratios_to_the_reference_and_refused_where_curves_are_not_parallel() -> None:
    half = [row("Half", d, 50 / (1 + (0.3 / d) ** 1.5) + k, "P1") for d in DOSES for k in (-4.0, 0.0, 4.0)]
    curves = fit_table([*table(), *half], SETTINGS, TableRoles(vehicle="DMSO", negative="DMSO", positive="Full"), None)
    ratios = {ratio.compound: ratio for ratio in potency_ratios(curves, reference_name(curves, "A"))}
    assert list(ratios) == ["B", "Half"]
    assert ratios["B"].ratio == pytest.approx(1 / 3, rel=0.3)
    assert (ratios["B"].low or 1) < 1 / 3 < (ratios["B"].high or 0)
    # The right plateaus and the slopes may differ; the six vehicle wells count once.
    assert ratios["B"].df == pytest.approx((2, 18 + 18 + 6 - 7), abs=0.1)
    assert (ratios["Half"].ratio, ratios["Half"].low) == (None, None)
    assert "not parallel" in ratios["Half"].reason
    with pytest.raises(BadInput, match="--reference 'C'"):
        reference_name(curves, "C")
