"""Wells to `Curve`: grouping, exclusions, multiplicity, off axis, bad values; and the figure of each."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.svg import to_svg
from gandl_analysis.figures.texts import ec50_text
from gandl_analysis.pipeline.curves.compounds import fit_compounds, fit_wells
from gandl_analysis.pipeline.curves.off_axis import OffAxisRule
from gandl_analysis.pipeline.curves.settings import CurveSettings, efficacy_settings
from gandl_analysis.pipeline.curves.wells import CurveWell
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_science.arrays import Float
from gandl_science.dose_response.records.inputs import CurveOptions
from gandl_shared.errors import InvalidTable
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import WellScore

DOSES = np.geomspace(0.01, 10.0, 6)
FAST = replace(efficacy_settings(), options=CurveOptions(n_null=1000, n_bootstrap=200))


def well(compound: str, dose: float | None, response: float, *, cell_line: str = "U2OS", **rest: object) -> CurveWell:
    return CurveWell(compound=compound, cell_line=cell_line, concentration=dose, response=response, **rest)  # type: ignore[arg-type]


def wells(compound: str, ec50: float | None, *, line: str = "U2OS", seed: int = 0) -> list[CurveWell]:
    rng = np.random.default_rng(seed)
    effect = [0.0 if ec50 is None else 2.0 / (1 + (ec50 / d) ** 1.5) for d in DOSES]
    return [
        well(compound, float(d), -1.0 + e + rng.normal() * 0.15, cell_line=line, plate="P1", well=f"A{k:02d}")
        for d, e in zip(DOSES, effect, strict=True)
        for k in range(1, 5)
    ]


def test_one_curve_a_compound_and_cell_line_in_order() -> None:
    table = wells("b", 0.3) + wells("a", None, seed=1) + wells("b", None, line="VERO", seed=2)
    curves = fit_wells(table, FAST)
    assert [(c.compound, c.cell_line, c.verdict) for c in curves] == [
        ("b", "U2OS", "active"),
        ("a", "U2OS", "inactive"),
        ("b", "VERO", "inactive"),
    ]
    first = curves[0]
    assert (first.n_doses, first.n_wells, first.model) == (6, 24, "hill")
    assert first.fitted[0][0] == 0.01
    assert first.fitted[-1][0] == pytest.approx(10.0, rel=1e-12)
    assert [d.n_wells for d in first.doses] == [4] * 6
    assert all(d.low is not None and d.high is not None and d.low < d.mean < d.high for d in first.doses)


def test_q_is_corrected_within_a_cell_line() -> None:
    table = [w for i in range(5) for w in wells(f"c{i}", None, seed=i)] + wells("x", 0.3, line="VERO")
    curves = fit_wells(table, FAST)
    assert curves[-1].q_value == curves[-1].p_value
    p = sorted(c.p_value for c in curves[:5] if c.p_value is not None)
    q = sorted(c.q_value for c in curves[:5] if c.q_value is not None)
    assert q[0] == pytest.approx(min(v * 5 / (i + 1) for i, v in enumerate(p)))


def test_the_schema_is_that_of_the_design() -> None:
    curve = fit_wells(wells("Wortmannin", 0.3), FAST)[0]
    line = json.loads(curve.model_dump_json())
    expected = {
        *("compound", "cell_line", "screen", "model", "aicc", "params", "ec50", "loss_ec50", "crosses_zero_at", "emax"),
        *("auc", "p_value", "q_value", "lack_of_fit_p", "n_doses", "n_wells", "verdict", "flags", "points", "fitted"),
        "off_axis",
    }
    assert expected <= set(line)
    assert set(line["params"]) == {"slope", "bottom", "top", "ec50"}
    assert set(line["params"]["ec50"]) == {"estimate", "se", "at_bound", "is_fixed", "low", "high"}
    assert set(line["ec50"]) == {"value", "relation", "low", "high", "unit", "method"}
    assert set(line["emax"]) == {"fitted", "observed", "at", "se", "low", "high"}
    assert set(line["points"][0]) == {
        "concentration",
        "efficacy",
        "plate",
        "well",
        "weight",
        "excluded",
        "fitted",
        "is_vehicle",
    }
    assert line["ec50"]["method"] == "profile likelihood, 95 %"
    assert Curve.model_validate(line) == curve
    assert (line["absolute_level"], line["absolute_ec50"]["relation"]) == (0.0, "=")
    assert line["absolute_ec50"]["low"] < curve.crosses_zero_at < line["absolute_ec50"]["high"]
    assert line["absolute_ec50"]["value"] == pytest.approx(curve.crosses_zero_at)
    assert line["covariance"]["parameters"] == ["ec50", "slope", "bottom", "top"]
    assert line["params"]["ec50"]["se"] == pytest.approx(line["covariance"]["matrix"][0][0] ** 0.5)
    assert line["emax"]["low"] < line["emax"]["fitted"] < line["emax"]["high"]
    assert len(line["band"]) == len(line["fitted"])


def test_same_seed_same_bytes_and_another_seed_another_null() -> None:
    table = wells("a", None)
    first, again = (fit_wells(table, FAST)[0].model_dump_json() for _ in range(2))
    assert first == again
    assert fit_wells(table, replace(FAST, seed=1))[0].p_value != fit_wells(table, FAST)[0].p_value


def test_wells_that_cannot_be_fitted_are_kept_with_their_reason() -> None:
    table = wells("a", 0.3)
    table[0] = replace(table[0], response=float("nan"))
    table[1] = replace(table[1], excluded="out of focus")
    table[2] = replace(table[2], concentration=None)
    curve = fit_wells(table, FAST)[0]
    assert [p.excluded for p in curve.points[:4]] == ["no response", "out of focus", "no concentration", None]
    assert [p.weight for p in curve.points[:4]] == [0.0, 0.0, 0.0, 1.0]
    assert curve.points[0].efficacy is None
    assert curve.n_wells == 21


@pytest.mark.parametrize(
    "table",
    [
        [well("a", 1.0, float("nan"))],
        [well("a", 1.0, 0.5)] * 12,
        [well("a", 0.0, 0.5), well("a", 0.0, 0.7)],
        [well("a", float(d), 0.5) for d in DOSES[:3]],
    ],
    ids=["all NaN", "all doses equal", "only zero doses", "three doses"],
)
def test_too_little_for_a_curve_is_undetermined_and_has_no_number(table: list[CurveWell]) -> None:
    curve = fit_wells(table, CurveSettings())[0]
    assert (curve.verdict, curve.model, curve.p_value, curve.q_value) == ("undetermined", "constant", None, None)
    assert (curve.ec50.value, curve.ec50.relation, curve.ec50.low, curve.ec50.high) == (None, None, None, None)
    assert "few_doses" in curve.flags
    assert to_svg(dose_response_figure(curve)).startswith("<?xml")


def test_equal_responses_are_flat_with_p_of_one() -> None:
    curve = fit_wells([well("a", float(d), -1.0) for d in DOSES for _ in range(3)], FAST)[0]
    assert (curve.model, curve.p_value, curve.verdict) == ("constant", 1.0, "inactive")


def test_a_vehicle_dose_is_the_left_plateau() -> None:
    rng = np.random.default_rng(0)
    vehicle = [well("a", 0.0, -1.0 + rng.normal() * 0.15) for _ in range(6)]
    curve = fit_wells(wells("a", 0.05) + vehicle, FAST)[0]
    assert curve.n_doses == 7
    assert curve.ec50.relation == "="
    assert curve.ec50.value == pytest.approx(0.05, rel=0.3)
    assert curve.params["bottom"].estimate == pytest.approx(-1.0, abs=0.15)


def test_a_negative_concentration_is_refused_with_its_row() -> None:
    with pytest.raises(InvalidTable, match="row 7, concentration_um: concentration -1 is negative"):
        fit_wells([well("a", -1.0, 0.0, table_row=7)], FAST)


def screen_well(role: str, compound: str | None, dose: float | None, efficacy: float, distance: float) -> WellScore:
    return WellScore(
        plate="P1",
        well="A01",
        role=role,
        compound=compound,
        concentration_um=dose,
        cell_line="U2OS",
        on=efficacy,
        off=0.0,
        efficacy=efficacy,
        off_distance=distance,
        n_tiles=4,
    )


def test_a_poison_deviates_from_the_controls_of_its_cell_line() -> None:
    rng = np.random.default_rng(0)
    noise = lambda: float(rng.normal() * 0.1)  # noqa: E731
    controls = [
        screen_well(role, None, None, level + noise(), 1.0 + abs(noise()))
        for role, level in (("positive_control", 1.0), ("negative_control", -1.0))
        for _ in range(12)
    ]
    poison = [
        screen_well("treatment", "poison", float(d), -1.0 + noise(), 1.0 if d < 0.5 else 9.0)
        for d in DOSES
        for _ in range(4)
    ]
    curve = fit_compounds([*controls, *poison], FAST, {"U2OS": OffAxisRule(limit=1.5)})[0]
    assert curve.verdict == "toxic"
    assert curve.off_axis.departs_at == DOSES[3]
    assert curve.off_axis.limit == 1.5
    assert [p.distance for p in curve.off_axis.points] == pytest.approx([1.0] * 3 + [9.0] * 3)
    assert len(fit_compounds([*controls, *poison], FAST, {"U2OS": OffAxisRule(limit=1.5)})) == 1


def test_a_poison_without_an_ec50_is_no_hit_of_a_new_experiment() -> None:
    """A drift over all doses has no EC50, so that nothing shows an effect before the doses that deviate."""
    rng = np.random.default_rng(0)
    drift = [
        screen_well("treatment", "poison", float(d), -1.0 + 0.15 * k + float(rng.normal() * 0.1), 9.0 if k > 3 else 1.0)
        for k, d in enumerate(DOSES)
        for _ in range(4)
    ]
    settings = replace(FAST, options=replace(FAST.options, n_replications=50))
    curves = [fit_compounds(drift, settings, {"U2OS": OffAxisRule(limit=limit)})[0] for limit in (1.5, 20.0)]
    assert [(curve.verdict, curve.ec50.value) for curve in curves] == [("toxic", None), ("active", None)]
    assert curves[0].hit_probability == 0.0
    assert curves[1].hit_probability is not None and curves[1].hit_probability > 0.9


def test_controls_at_chance_give_a_compound_no_direction() -> None:
    """A steep curve along an axis without direction is no effect, in whichever number a reader looks for one."""
    rise = [
        screen_well("treatment", "a", float(d), level, 9.0)
        for d, level in zip(DOSES, (-1.0, -1, -1, 1, 1, 1), strict=True)
        for _ in range(3)
    ]
    assert fit_compounds(rise, FAST, {}, ())[0].verdict == "active"
    curve = fit_compounds(rise, FAST, {"U2OS": OffAxisRule(limit=1.5)}, {"U2OS"})[0]
    assert (curve.verdict, curve.flags) == ("undetermined", ("controls_at_chance", "equal_replicates"))
    assert (curve.ec50.value, curve.ec50.method) == (None, "controls at chance")
    assert (curve.p_value, curve.q_value, curve.emax.fitted, curve.off_axis.departs_at) == (None,) * 4
    assert (curve.n_wells, curve.n_doses, len(curve.points)) == (18, 6, 18)
    (hit,) = rank_compounds([curve])
    assert (hit.rank, hit.verdict, hit.ec50_um, hit.toxic_from_um) == (None, "undetermined", None, None)
    assert to_svg(dose_response_figure(curve))


def test_excluded_wells_of_a_screen() -> None:
    treated = [screen_well("treatment", "a", float(d), -1.0, 1.0) for d in DOSES]
    curve = fit_compounds([w.model_copy(update={"excluded": "image QC: overexposed"}) for w in treated], FAST, {})[0]
    assert {p.excluded for p in curve.points} == {"image QC: overexposed"}
    assert (curve.n_wells, curve.verdict) == (0, "undetermined")


def test_the_figure_says_what_the_curve_says_and_is_the_same_twice() -> None:
    curve = fit_wells(wells("50 % <i> $x$", 0.3), FAST)[0]
    svg, again = (to_svg(dose_response_figure(curve)) for _ in range(2))
    assert svg == again
    assert ec50_text(curve.ec50) in svg
    assert "50 % &lt;i&gt; $x$" in svg
    assert "dc:date" not in svg


FASTER = CurveOptions(n_null=200, n_bootstrap=20)


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
def test_ugly_data_gives_no_number_that_the_data_does_not_support(seed: int) -> None:
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
    for settings in (CurveSettings(options=FASTER), replace(efficacy_settings(), options=FASTER)):
        for curve in fit_wells(wells, settings):
            ec50 = curve.ec50
            assert (ec50.value is None) == (ec50.relation is None)
            if ec50.relation == "=":
                assert ec50.low is not None and ec50.value is not None and ec50.high is not None
                assert ec50.low <= ec50.value <= ec50.high
                assert doses.min() <= ec50.value <= doses.max()
            assert curve.model_dump_json()
