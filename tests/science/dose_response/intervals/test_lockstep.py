"""Searches that advance together find what each finds alone, also with other numbers of doses."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.intervals.locations import ShapeFit, search_locations
from gandl_science.dose_response.intervals.lockstep import run_together
from gandl_science.dose_response.models import HILL
from gandl_science.dose_response.quantities.crossing import search_crossings
from gandl_science.dose_response.quantities.profiles import search_slopes
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.solver.curves import solve


def _fits() -> ShapeFit:
    rng, doses = np.random.default_rng(11), np.repeat(np.geomspace(0.01, 10.0, 6), 3)
    data = [
        DoseResponseData(own, -1 + top / (1 + (0.3 / own) ** 1.5) + 0.25 * rng.normal(size=own.size))
        for top in (0.6, 1.0, 2.0)
        for own in (doses, 1.7 * doses, doses * np.repeat(10 ** rng.uniform(-0.15, 0.15, 6), 3))
    ]
    _, design = next(designs(data, CurveOptions()))
    best = solve(design.data, HILL, design.space)
    return ShapeFit(data=design.data, shape=HILL, space=design.space, best=best)


def test_searches_together_equal_searches_alone() -> None:
    fit, level_variance = _fits(), np.full(9, 0.002)

    def searches() -> list:
        crossings = search_crossings(fit, 0.0, level_variance, direction=1.0, confidence=0.95)
        return [search_locations(fit, 0.95), search_slopes(fit, 0.95), crossings]

    together = run_together(searches(), HILL)
    for result, search in zip(together, searches(), strict=True):
        for values, alone in zip(result, run_together([search], HILL)[0], strict=True):
            assert values == pytest.approx(alone, rel=1e-9, nan_ok=True)


def test_curves_together_equal_curves_alone() -> None:
    fit = _fits()
    together = run_together([search_locations(fit, 0.95), search_slopes(fit, 0.95)], HILL)
    for curve in range(9):
        rows = np.array([curve])
        own = ShapeFit(data=fit.data.take(rows), shape=HILL, space=fit.space.take(rows), best=fit.best.take(rows))
        alone = run_together([search_locations(own, 0.95), search_slopes(own, 0.95)], HILL)
        for result, single in zip(together, alone, strict=True):
            for values, value in zip(result, single, strict=True):
                assert values[curve] == pytest.approx(value[0], rel=1e-9, nan_ok=True)
