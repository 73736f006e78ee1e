"""Profile intervals of slopes: their ends satisfy the likelihood criterion, and bounds leave a side open."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float, Index
from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.intervals.locations import ShapeFit
from gandl_science.dose_response.intervals.lockstep import Search, Steps, run_together
from gandl_science.dose_response.models import HILL
from gandl_science.dose_response.quantities.profiles import allowed_misfit, search_end, slope_interval
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.solver.curves import solve
from gandl_science.dose_response.solver.polish import polish

DOSES = np.repeat(np.geomspace(0.01, 10.0, 6), 4)


def hill_fit(slope: float, noise: float = 0.15) -> ShapeFit:
    rng = np.random.default_rng(3)
    truth = -1.0 + 2.0 / (1.0 + (0.3 / DOSES) ** slope)
    data = [DoseResponseData(DOSES, truth + rng.normal(size=DOSES.size) * noise) for _ in range(4)]
    _, design = next(designs(data, CurveOptions(robust=False)))
    best = solve(design.data, HILL, design.space)
    return ShapeFit(data=design.data, shape=HILL, space=design.space, best=best)


def test_the_ends_of_a_slope_satisfy_the_criterion() -> None:
    fit = hill_fit(1.5)
    allowed = allowed_misfit(fit, 0.95)
    for end in slope_interval(fit, 1, 0.95):
        theta = fit.best.theta.copy()
        theta[:, 1] = np.log(end)
        profile = polish(fit.data, HILL, fit.space, theta, fixed=1)
        ratio = (profile.misfit - fit.best.misfit) / (allowed - fit.best.misfit)
        assert ratio == pytest.approx(np.ones(4), abs=0.05)


def test_a_slope_that_the_doses_do_not_limit_is_open_above() -> None:
    low, high = slope_interval(hill_fit(8.0), 1, 0.95)
    assert np.isnan(high).all()
    assert np.isfinite(low).all()


def _single(steps: Steps) -> Search:
    values = yield from steps
    return (values,)


def test_an_end_is_the_root_of_the_excess_and_open_at_the_bound() -> None:
    roots = np.array([0.7, 3.0, 12.0])

    def excess(curves: Index, x: Float) -> Steps:
        # Nothing is asked of the solver, because the excess is a formula.
        yield from ()
        return np.asarray(x**2 - roots[curves] ** 2)

    (ends,) = run_together([_single(search_end(excess, np.zeros(3), np.ones(3), np.full(3, 5.0)))], HILL)[0]
    assert ends[:2] == pytest.approx(roots[:2], abs=2e-3)
    assert np.isnan(ends[2])
