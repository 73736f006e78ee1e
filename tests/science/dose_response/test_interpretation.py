"""A curve for every verdict and every flag, each with the truth it was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.interpretation import Reading, ReadingRules, ResponseScale, read_curve
from gandl_science.dose_response.models import Floats
from gandl_science.dose_response.results import CurveFit, CurveOptions, DoseResponseData

DOSES = np.geomspace(0.01, 10.0, 6)
TOLD = ReadingRules(scale=ResponseScale())
UNTOLD = ReadingRules()
Truth = Callable[[Floats], Floats]


def hill(ec50: float, slope: float = 1.5, bottom: float = -1.0, top: float = 1.0) -> Truth:
    return lambda c: bottom + (top - bottom) / (1 + (ec50 / c) ** slope)


def bell(ec50: float, loss: float) -> Truth:
    return lambda c: -1 + 2 / (1 + (ec50 / c) ** 2) / (1 + (c / loss) ** 3)


def flat(level: float) -> Truth:
    return lambda c: np.full(c.shape, level)


def fit(truth: Truth, *, doses: Floats = DOSES, replicates: int = 4, noise: float = 0.1, seed: int = 1) -> CurveFit:
    c = np.repeat(doses, replicates)
    y = truth(c) + np.random.default_rng(seed).normal(size=c.size) * noise
    return fit_curves([DoseResponseData(c, y)], CurveOptions(n_null=2000), np.random.default_rng(0))[0]


def read(truth: Truth, rules: ReadingRules = TOLD, departs_at: float | None = None, **how: object) -> Reading:
    found = fit(truth, **how)  # type: ignore[arg-type]
    return read_curve(found, found.p_value, rules, departs_at)


def test_a_rising_curve_is_active_without_flags() -> None:
    reading = read(hill(0.3))
    assert (reading.verdict, reading.flags) == ("active", ())
    assert reading.ec50.relation == "="
    assert reading.ec50.value == pytest.approx(0.3, rel=0.2)
    assert reading.ec50.low is not None and reading.ec50.high is not None
    assert reading.ec50.low < 0.3 < reading.ec50.high


def test_the_numbers_of_an_exact_curve() -> None:
    """Closed form for slope 1.5 from -1 to 1: zero at the EC50, Emax at the top dose, area by the softplus integral."""
    found = fit(hill(0.3), noise=0.0)
    reading = read_curve(found, 0.0, TOLD)
    assert reading.crosses_midpoint_at == pytest.approx(0.3, rel=1e-6)
    assert reading.emax_fitted == pytest.approx(float(hill(0.3)(np.array([10.0]))[0]), rel=1e-6)
    assert (reading.emax_at, reading.emax_observed) == (10.0, pytest.approx(reading.emax_fitted, rel=1e-6))
    area = np.log10((1 + (10 / 0.3) ** 1.5) / (1 + (0.01 / 0.3) ** 1.5)) / 1.5 / 3.0
    assert reading.auc == pytest.approx(area, abs=1e-4)


def test_inactive() -> None:
    reading = read(flat(-1.0))
    assert (reading.verdict, reading.flags) == ("inactive", ("inactive",))
    assert reading.ec50.value is None
    assert reading.ec50.relation is None


def test_ec50_above_range_and_top_not_reached() -> None:
    reading = read(hill(15.0, 1.2), noise=0.03)
    assert reading.verdict == "active"
    assert {"ec50_above_range", "top_not_reached"} <= set(reading.flags)
    assert reading.ec50.relation == ">"
    assert reading.ec50.value == reading.ec50.low
    assert reading.ec50.value is not None and reading.ec50.value < 15.0


def test_ec50_below_range() -> None:
    reading = read(hill(0.004, 1.0), noise=0.05)
    assert "ec50_below_range" in reading.flags
    assert reading.ec50.relation == "<"
    assert reading.ec50.value is not None and reading.ec50.value > 0.004


def test_flat_at_the_top_is_active_at_all_doses() -> None:
    reading = read(flat(0.9))
    assert reading.verdict == "active"
    assert {"active_at_all_doses", "ec50_below_range"} <= set(reading.flags)
    assert (reading.ec50.value, reading.ec50.relation) == (0.01, "<")
    assert read(flat(0.9), UNTOLD).verdict == "inactive"


def test_the_rest_of_a_rise_is_no_reason_to_miss_a_compound_that_is_active_at_all_doses() -> None:
    """From 0.82 to 0.98 within the doses: significant, but below a tenth of the span, and no EC50 of its own."""
    found = fit(hill(0.3, bottom=0.82, top=0.98), noise=0.03)
    reading = read_curve(found, 1e-6, TOLD)
    assert found.model == "hill"
    assert (reading.verdict, reading.ec50.value, reading.ec50.relation) == ("active", 0.01, "<")
    assert "active_at_all_doses" in reading.flags and "inactive" not in reading.flags
    assert read_curve(found, 1e-6, TOLD, departs_at=0.01).verdict == "toxic"


def test_single_dose_activity_at_the_top_dose() -> None:
    reading = read(hill(6.0, 8.0))
    assert "single_dose_activity" in reading.flags
    assert reading.ec50.value is not None and DOSES[3] < reading.ec50.value


def test_single_dose_activity_in_the_middle() -> None:
    assert "single_dose_activity" in read(lambda c: np.where(np.isclose(c, DOSES[2]), 0.5, -1.0)).flags


def test_falling_is_toxic_where_the_direction_is_told_and_active_where_not() -> None:
    told = read(hill(0.3, bottom=-1.0, top=-2.0))
    assert told.verdict == "toxic"
    assert "negative_direction" in told.flags
    untold = read(hill(0.3, bottom=-1.0, top=-2.0), UNTOLD)
    assert untold.verdict == "active"
    assert "negative_direction" in untold.flags
    assert untold.crosses_midpoint_at is None


def test_controls_the_other_way_round_turn_the_direction() -> None:
    reading = read(hill(0.3, bottom=100.0, top=0.0), ReadingRules(scale=ResponseScale(100.0, 0.0)), noise=4.0)
    assert (reading.verdict, reading.flags) == ("active", ())
    assert reading.crosses_midpoint_at == pytest.approx(0.3, rel=0.3)
    assert 0.3 < reading.auc < 0.7


def test_rising_then_falling_is_biphasic_with_a_window() -> None:
    doses = np.geomspace(0.01, 10.0, 8)
    reading = read(bell(0.1, 3.0), doses=doses)
    assert reading.verdict == "active_biphasic"
    assert "biphasic_toxic_drop" in reading.flags
    assert reading.loss_ec50 is not None
    assert reading.loss_ec50.value == pytest.approx(3.0, rel=0.3)
    assert reading.window is not None
    assert reading.window.limited_by == "loss"
    assert reading.window.high / reading.window.low == pytest.approx(30.0, rel=0.5)


def test_departing_at_the_ec50_or_below_is_toxic_and_above_it_narrows_the_window() -> None:
    toxic = read(hill(0.3), departs_at=DOSES[1])
    assert toxic.verdict == "toxic"
    assert "high_off_perturbation" in toxic.flags
    active = read(hill(0.3), departs_at=DOSES[4])
    assert active.verdict == "active"
    assert active.window is not None
    assert (active.window.limited_by, active.window.relation, active.window.high) == ("off_axis", "=", DOSES[4])
    free = read(hill(0.3)).window
    assert free is not None
    assert (free.limited_by, free.relation, free.high) == ("top_dose", ">", 10.0)


def test_a_window_from_a_bound_is_a_bound() -> None:
    always = read(flat(0.9), departs_at=DOSES[4])
    assert (always.ec50.relation, always.verdict) == ("<", "active")
    assert always.window is not None
    assert (always.window.limited_by, always.window.relation) == ("off_axis", ">")


def test_departing_without_effect_is_toxic() -> None:
    assert read(flat(-1.0), departs_at=DOSES[3]).verdict == "toxic"


def test_a_significant_but_tiny_effect_is_inactive_where_the_span_is_told() -> None:
    tiny = hill(0.3, bottom=-1.0, top=-0.9)
    assert read(tiny, noise=0.01).verdict == "inactive"
    assert read(tiny, UNTOLD, noise=0.01).verdict == "active"


def test_lack_of_fit() -> None:
    doses = np.geomspace(0.01, 10.0, 8)
    zigzag = lambda c: hill(0.3)(c) + 0.2 * np.cos(np.pi * np.round(np.log(c / 0.01) / np.log(1000) * 7))  # noqa: E731
    reading = read(zigzag, doses=doses, noise=0.04)
    assert reading.verdict == "active"
    assert "lack_of_fit" in reading.flags


def test_few_doses_and_low_replicates() -> None:
    few = read(hill(0.3), doses=DOSES[[0, 2, 3, 5]], replicates=6)
    assert "few_doses" in few.flags
    assert few.verdict == "active"
    single = read(hill(0.3), doses=np.geomspace(0.01, 10, 9), replicates=1, noise=0.05)
    assert "low_replicates" in single.flags


def test_three_doses_are_not_tested() -> None:
    found = fit(hill(0.3), doses=DOSES[::2])
    reading = read_curve(found, None, TOLD)
    assert (found.p_value, reading.verdict) == (None, "undetermined")
    assert reading.ec50.value is None


def test_outliers_downweighted_and_slope_at_bound() -> None:
    c = np.repeat(DOSES, 6)
    y = hill(0.25, 30.0)(c) + np.random.default_rng(2).normal(size=36) * 0.05
    y[0] = 9.0
    found = fit_curves([DoseResponseData(c, y)], CurveOptions(n_null=1000), np.random.default_rng(0))[0]
    flags = read_curve(found, found.p_value, TOLD).flags
    assert {"outliers_downweighted", "slope_at_bound"} <= set(flags)
    assert found.params["slope"].se is None


def test_significant_by_q_not_by_p() -> None:
    found = fit(hill(0.3))
    assert read_curve(found, 0.2, TOLD).verdict == "inactive"
    assert read_curve(found, 0.2, replace(TOLD, alpha=0.25)).verdict == "active"


def test_equal_controls_are_refused() -> None:
    with pytest.raises(ValueError, match="different"):
        ResponseScale(1.0, 1.0)


def test_a_dent_is_not_a_bell() -> None:
    """A rising curve whose second dose dips is fitted better by a gain-loss turned over; its EC50 must not be told."""
    c = np.repeat(np.geomspace(0.1, 100.0, 6), 4)
    y = 500 + 300 / (1 + (4.0 / c) ** 2) + np.tile([-8.0, 8.0, -12.0, 12.0], 6)
    y[4:8] -= 30.0
    found = fit_curves([DoseResponseData(c, y)], CurveOptions(n_null=1000), np.random.default_rng(0))[0]
    hill_aicc, bell_aicc = found.aicc["hill"], found.aicc["gain_loss"]
    assert hill_aicc is not None and bell_aicc is not None and bell_aicc < hill_aicc
    assert found.model == "hill"
    assert found.ec50 is not None
    assert found.ec50.estimate == pytest.approx(4.0, rel=0.2)
