"""A fit depends on its own data, not on its unit, its company or the order of its wells, and describes itself fully."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData

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


def test_a_compounds_answer_does_not_depend_on_the_others() -> None:
    """Neither its null, nor its bootstrap, nor what it can be tested for: others have other designs, more replicates,
    or none."""
    rng = np.random.default_rng(0)
    doses = np.geomspace(0.01, 10, 6)
    c = np.repeat(doses, 3)
    data = [DoseResponseData(c, rng.normal(size=18)) for _ in range(4)]
    odd = [DoseResponseData(np.repeat(doses, n), rng.normal(size=6 * n)) for n in (1, 5)]
    options = CurveOptions(n_null=500, n_bootstrap=50)
    alone = fit_curves(data[:1], options, np.random.default_rng(7))[0]
    among = fit_curves([*odd, *data[::-1]], options, np.random.default_rng(7))[-1]
    assert alone.p_value == pytest.approx(among.p_value, rel=1e-12)
    assert (alone.anova_p, alone.lack_of_fit_p) == pytest.approx((among.anova_p, among.lack_of_fit_p), rel=1e-12)
    assert [(d.low, d.high) for d in alone.doses] == [(d.low, d.high) for d in among.doses]
    assert alone.params["level"].estimate == pytest.approx(among.params["level"].estimate, rel=1e-12)


def test_the_order_of_the_wells_changes_nothing_but_the_order_of_the_weights() -> None:
    rng = np.random.default_rng(0)
    c = np.repeat(np.geomspace(0.01, 10.0, 6), 4)
    y = -1 + 2 / (1 + (0.3 / c) ** 1.5) + rng.normal(size=24) * 0.2
    y[5] = 9.0
    order = rng.permutation(24)
    options = CurveOptions(n_null=200)
    plain, shuffled = (
        fit_curves([DoseResponseData(c[i], y[i])], options, np.random.default_rng(0))[0] for i in (slice(None), order)
    )
    assert shuffled.rss == pytest.approx(plain.rss, rel=1e-9)
    assert shuffled.p_value == pytest.approx(plain.p_value, rel=1e-6)
    assert shuffled.weights == pytest.approx(plain.weights[order], rel=1e-9)
    assert np.flatnonzero(plain.weights < 1).tolist() == [5]


@pytest.mark.parametrize("rising", [True, False])
def test_bottom_is_the_lower_plateau_either_way_and_the_fit_predicts_its_own_means(rising: bool) -> None:
    c = np.repeat(np.geomspace(0.001, 100.0, 10), 3)
    sign = 1.0 if rising else -1.0
    y = sign * (-1 + 2 / (1 + (0.3 / c) ** 2)) + np.tile([-0.01, 0.0, 0.01], 10)
    curve = fit_curves([DoseResponseData(c, y)], FAST, np.random.default_rng(0))[0]
    assert (curve.model, curve.rising) == ("hill", rising)
    assert (curve.params["bottom"].estimate, curve.params["top"].estimate) == pytest.approx((-1.0, 1.0), abs=1e-3)
    doses = np.array([dose.concentration for dose in curve.doses])
    assert curve.predict(doses) == pytest.approx([dose.mean for dose in curve.doses], abs=1e-3)


def test_weights_enter_the_null_of_the_activity_test() -> None:
    c = np.repeat(np.geomspace(0.01, 10, 7), 3)
    sd = np.where(c > 5, 5.0, np.where(c > 1, 2.0, 1.0))
    rng = np.random.default_rng(21)
    data = [DoseResponseData(c, rng.normal(size=c.size) * sd, weight=4 / sd**2) for _ in range(300)]
    fits = fit_curves(data, CurveOptions(n_null=2000), np.random.default_rng(0))
    share = np.mean([fit.p_value is not None and fit.p_value <= 0.05 for fit in fits])
    # 99.9 % of binomial shares of 300 at 5 %; without weights a third of them are significant.
    assert share <= 0.097
    assert np.mean([fit.has_unequal_scatter for fit in fits]) < 0.12, "the weights explain the scatter"
    assert all((fit.weights == 1).all() for fit in fits)
    assert fits[0].doses[-1].weight is not None and fits[0].doses[0].weight is not None
    assert fits[0].doses[0].weight / fits[0].doses[-1].weight == pytest.approx(25.0)


@pytest.mark.parametrize("weight", [[1.0, 2.0], [1.0, 0.0, 1.0], [1.0, np.nan, 1.0]])
def test_weights_are_finite_numbers_above_zero(weight: list[float]) -> None:
    with pytest.raises(ValueError, match="give one weight per concentration, a finite number above 0"):
        DoseResponseData(np.ones(3), np.ones(3), weight=np.array(weight))
