"""A curve for every verdict and every flag, each with the truth from which it was simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.records.vocabulary import Null
from gandl_science.dose_response.verdict.interpretation import (
    Interpretation,
    InterpretationRules,
    interpret_curve,
)

DOSES = np.geomspace(0.01, 10.0, 6)
WITH_CONTROLS = InterpretationRules(scale=ResponseScale())
WITHOUT_CONTROLS = InterpretationRules()
Truth = Callable[[Float], Float]


def hill(ec50: float, slope: float = 1.5, bottom: float = -1.0, top: float = 1.0) -> Truth:
    return lambda c: bottom + (top - bottom) / (1 + (ec50 / c) ** slope)


def bell(ec50: float, loss: float) -> Truth:
    return lambda c: -1 + 2 / (1 + (ec50 / c) ** 2) / (1 + (c / loss) ** 3)


def flat(level: float) -> Truth:
    return lambda c: np.full(c.shape, level)


def fit(truth: Truth, *, doses: Float = DOSES, replicates: int = 4, noise: float = 0.1, seed: int = 1) -> CurveFit:
    c = np.repeat(doses, replicates)
    y = truth(c) + np.random.default_rng(seed).normal(size=c.size) * noise
    return fit_curves([DoseResponseData(c, y)], CurveOptions(n_null=2000), np.random.default_rng(0))[0]


def interpret(
    truth: Truth, rules: InterpretationRules = WITH_CONTROLS, onset: float | None = None, **design: object
) -> Interpretation:
    curve = fit(truth, **design)  # type: ignore[arg-type]
    return interpret_curve(curve, curve.p_value, rules, onset)


def test_a_rising_curve_is_active_without_flags() -> None:
    result = interpret(hill(0.3))
    assert (result.verdict, result.flags) == ("active", ())
    assert result.ec50.relation == "="
    assert result.ec50.value == pytest.approx(0.3, rel=0.2)
    assert result.ec50.low is not None and result.ec50.high is not None
    assert result.ec50.low < 0.3 < result.ec50.high


def test_the_numbers_of_an_exact_curve() -> None:
    """Closed form for slope 1.5 from -1 to 1: zero at the EC50, Emax at the top dose, area by the softplus integral."""
    curve = fit(hill(0.3), noise=0.0)
    result = interpret_curve(curve, 0.0, WITH_CONTROLS)
    assert result.midpoint_crossing == pytest.approx(0.3, rel=1e-6)
    assert result.emax_fitted == pytest.approx(float(hill(0.3)(np.array([10.0]))[0]), rel=1e-6)
    assert (result.emax_at, result.emax_observed) == (10.0, pytest.approx(result.emax_fitted, rel=1e-6))
    area = np.log10((1 + (10 / 0.3) ** 1.5) / (1 + (0.01 / 0.3) ** 1.5)) / 1.5 / 3.0
    assert result.auc == pytest.approx(area, abs=1e-4)


def test_inactive() -> None:
    result = interpret(flat(-1.0))
    assert (result.verdict, result.flags) == ("inactive", ("inactive",))
    assert result.ec50.value is None
    assert result.ec50.relation is None


def test_ec50_above_range_and_top_not_reached() -> None:
    result = interpret(hill(15.0, 1.2), noise=0.03)
    assert result.verdict == "active"
    assert {"ec50_above_range", "top_not_reached"} <= set(result.flags)
    assert result.ec50.relation == ">"
    assert result.ec50.value == result.ec50.low
    assert result.ec50.value is not None and result.ec50.value < 15.0


def test_ec50_below_range() -> None:
    result = interpret(hill(0.004, 1.0), noise=0.05)
    assert "ec50_below_range" in result.flags
    assert result.ec50.relation == "<"
    assert result.ec50.value is not None and result.ec50.value > 0.004


def test_flat_at_the_top_is_active_at_all_doses() -> None:
    result = interpret(flat(0.9))
    assert result.verdict == "active"
    assert {"active_at_all_doses", "ec50_below_range"} <= set(result.flags)
    assert (result.ec50.value, result.ec50.relation) == (0.01, "<")
    assert interpret(flat(0.9), WITHOUT_CONTROLS).verdict == "inactive"


def test_the_rest_of_a_rise_is_no_reason_to_miss_a_compound_that_is_active_at_all_doses() -> None:
    """From 0.82 to 0.98 within the doses: significant, but below a tenth of the span, and no EC50 of its own."""
    curve = fit(hill(0.3, bottom=0.82, top=0.98), noise=0.03)
    result = interpret_curve(curve, 1e-6, WITH_CONTROLS)
    assert curve.model == "hill"
    assert (result.verdict, result.ec50.value, result.ec50.relation) == ("active", 0.01, "<")
    assert "active_at_all_doses" in result.flags and "inactive" not in result.flags
    assert interpret_curve(curve, 1e-6, WITH_CONTROLS, 0.01).verdict == "toxic"


def test_single_dose_activity_at_the_top_dose() -> None:
    result = interpret(hill(6.0, 8.0))
    assert "single_dose_activity" in result.flags
    assert result.ec50.value is not None and DOSES[3] < result.ec50.value


def test_single_dose_activity_in_the_middle() -> None:
    assert "single_dose_activity" in interpret(lambda c: np.where(np.isclose(c, DOSES[2]), 0.5, -1.0)).flags


def test_falling_is_toxic_where_the_controls_are_known_and_active_otherwise() -> None:
    toxic = interpret(hill(0.3, bottom=-1.0, top=-2.0))
    assert toxic.verdict == "toxic"
    assert "negative_direction" in toxic.flags
    falling = interpret(hill(0.3, bottom=-1.0, top=-2.0), WITHOUT_CONTROLS)
    assert falling.verdict == "active"
    assert "negative_direction" in falling.flags
    assert falling.midpoint_crossing is None


def test_controls_the_other_way_round_turn_the_direction() -> None:
    result = interpret(
        hill(0.3, bottom=100.0, top=0.0), InterpretationRules(scale=ResponseScale(100.0, 0.0)), noise=4.0
    )
    assert (result.verdict, result.flags) == ("active", ())
    assert result.midpoint_crossing == pytest.approx(0.3, rel=0.3)
    assert 0.3 < result.auc < 0.7


def test_rising_then_falling_is_biphasic_with_a_window() -> None:
    doses = np.geomspace(0.01, 10.0, 8)
    result = interpret(bell(0.1, 3.0), doses=doses)
    assert result.verdict == "active_biphasic"
    assert "biphasic_toxic_drop" in result.flags
    assert result.loss_ec50 is not None
    assert result.loss_ec50.value == pytest.approx(3.0, rel=0.3)
    assert result.window is not None
    assert result.window.limited_by == "loss"
    assert result.window.high / result.window.low == pytest.approx(30.0, rel=0.5)


def test_an_off_axis_onset_at_the_ec50_or_below_is_toxic_and_above_it_narrows_the_window() -> None:
    toxic = interpret(hill(0.3), onset=DOSES[1])
    assert toxic.verdict == "toxic"
    assert "high_off_perturbation" in toxic.flags
    active = interpret(hill(0.3), onset=DOSES[4])
    assert active.verdict == "active"
    assert active.window is not None
    assert (active.window.limited_by, active.window.relation, active.window.high) == ("off_axis", "=", DOSES[4])
    free = interpret(hill(0.3)).window
    assert free is not None
    assert (free.limited_by, free.relation, free.high) == ("top_dose", ">", 10.0)


def test_a_rescue_below_the_onset_is_seen_although_its_ec50_is_only_known_from_above() -> None:
    """Two wells per dose of a compound that rescues at 0.15 and is off the axis from 9.49 on, where it falls."""
    doses = np.repeat(np.geomspace(0.09487, 30.0, 6), 2)
    rng = np.random.default_rng(2)
    data = [DoseResponseData(doses, bell(0.15, 11.0)(doses) + 0.2 * rng.normal(size=doses.size)) for _ in range(30)]
    fits = fit_curves(data, CurveOptions(n_null=2000, scale=ResponseScale()), rng)
    meanings = [interpret_curve(curve, curve.p_value, WITH_CONTROLS, 9.487) for curve in fits]
    late = [m for m in meanings if m.ec50.relation == "<" and m.ec50.value is not None and m.ec50.value > 9.487]
    assert len(late) >= 5
    assert {m.verdict for m in late} == {"active_biphasic"}
    assert all(m.ec50.value is not None and m.ec50.value > 0.15 and m.window is None for m in late)
    # The toxicity of the same curves may come before the effect where it begins at the lowest dose.
    first = [interpret_curve(curve, curve.p_value, WITH_CONTROLS, 0.09487) for curve in fits]
    assert {m.verdict for m in first} <= {"toxic"}


def test_a_window_from_a_bound_is_a_bound() -> None:
    always = interpret(flat(0.9), onset=DOSES[4])
    assert (always.ec50.relation, always.verdict) == ("<", "active")
    assert always.window is not None
    assert (always.window.limited_by, always.window.relation) == ("off_axis", ">")


def test_an_off_axis_onset_without_effect_is_toxic() -> None:
    assert interpret(flat(-1.0), onset=DOSES[3]).verdict == "toxic"


def test_a_significant_but_tiny_effect_is_inactive_where_the_span_is_known() -> None:
    tiny = hill(0.3, bottom=-1.0, top=-0.9)
    assert interpret(tiny, noise=0.01).verdict == "inactive"
    assert interpret(tiny, WITHOUT_CONTROLS, noise=0.01).verdict == "active"


def test_lack_of_fit() -> None:
    doses = np.geomspace(0.01, 10.0, 8)
    zigzag = lambda c: hill(0.3)(c) + 0.2 * np.cos(np.pi * np.round(np.log(c / 0.01) / np.log(1000) * 7))  # noqa: E731
    result = interpret(zigzag, doses=doses, noise=0.04)
    assert result.verdict == "active"
    assert "lack_of_fit" in result.flags


def test_few_doses_and_low_replicates() -> None:
    few = interpret(hill(0.3), doses=DOSES[[0, 2, 3, 5]], replicates=6)
    assert "few_doses" in few.flags
    assert few.verdict == "active"
    single = interpret(hill(0.3), doses=np.geomspace(0.01, 10, 9), replicates=1, noise=0.05)
    assert "low_replicates" in single.flags


def test_three_doses_are_not_tested() -> None:
    curve = fit(hill(0.3), doses=DOSES[::2])
    result = interpret_curve(curve, None, WITH_CONTROLS)
    assert (curve.p_value, result.verdict) == (None, "undetermined")
    assert result.ec50.value is None


def test_outliers_downweighted_and_slope_at_bound() -> None:
    c = np.repeat(DOSES, 6)
    y = hill(0.25, 30.0)(c) + np.random.default_rng(2).normal(size=36) * 0.05
    y[0] = 9.0
    curve = fit_curves([DoseResponseData(c, y)], CurveOptions(n_null=1000), np.random.default_rng(0))[0]
    flags = interpret_curve(curve, curve.p_value, WITH_CONTROLS).flags
    assert {"outliers_downweighted", "slope_at_bound"} <= set(flags)
    assert curve.params["slope"].se is None


def test_significant_by_q_not_by_p() -> None:
    curve = fit(hill(0.3))
    assert interpret_curve(curve, 0.2, WITH_CONTROLS).verdict == "inactive"
    assert interpret_curve(curve, 0.2, replace(WITH_CONTROLS, alpha=0.25)).verdict == "active"


def test_equal_controls_are_refused() -> None:
    with pytest.raises(ValueError, match="different"):
        ResponseScale(1.0, 1.0)


def test_a_curve_wider_than_any_that_is_searched_has_no_ec50() -> None:
    """Two steps, three decades apart: half-way between them nothing happens."""
    doses = np.geomspace(1e-4, 1e3, 15)
    steps: Truth = lambda c: -1 + 1 / (1 + (0.01 / c) ** 1.5) + 1 / (1 + (30 / c) ** 1.5)  # noqa: E731
    result = interpret(steps, doses=doses, noise=0.04)
    assert result.verdict == "active"
    assert {"lack_of_fit", "slope_at_bound"} <= set(result.flags)
    assert (result.ec50.value, result.ec50.relation) == (None, None)
    assert result.midpoint_crossing is not None


def test_an_effect_that_may_be_scatter_is_undetermined() -> None:
    """Duplicates of a compound that is active but for the lowest dose, whose two wells differ most."""
    c = np.repeat([0.09487, 0.3, 0.9487, 3.0, 9.487, 30.0], 2)
    y = np.array([0.17, -0.39, 0.65, 0.41, 0.94, 0.76, 0.86, 1.01, 0.48, 0.93, 0.85, 1.0])
    normal, checked = (
        fit_curves([DoseResponseData(c, y)], CurveOptions(n_null=2000, null=null), np.random.default_rng(0))[0]
        for null in (Null.NORMAL, Null.AUTOMATIC)
    )
    assert normal.p_value is not None and normal.p_value < 0.01
    assert checked.p_value is not None and checked.p_value > 0.05
    result = interpret_curve(checked, checked.p_value, WITH_CONTROLS, equal_scatter_q=checked.equal_scatter_p)
    assert (result.verdict, result.ec50.value) == ("undetermined", None)
    assert "unequal_scatter" in result.flags
    assert interpret_curve(normal, normal.p_value, WITH_CONTROLS).verdict == "active"
