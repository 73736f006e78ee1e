"""What is told of the models of a design does not depend on the other curves that are fitted with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.models import HILL
from gandl_science.dose_response.quantities.model_fits import ShapeMembers, fit_shapes
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.solver.curves import solve


def test_a_curve_among_others_has_the_intervals_that_it_has_alone() -> None:
    rng, doses = np.random.default_rng(21), np.repeat(np.geomspace(0.01, 10.0, 6), 3)
    data = [
        DoseResponseData(k * doses, -1 + top / (1 + (0.3 / doses) ** 1.5) + 0.25 * rng.normal(size=doses.size))
        for k, top in ((1.0, 2.0), (1.3, 0.8), (2.1, 1.5), (1.0, 0.6))
    ]
    options = CurveOptions(scale=ResponseScale(), level=0.0)
    _, design = next(designs(data, options))
    best = solve(design.data, HILL, design.space)
    everyone = ShapeMembers(design=design, best=best, members=np.arange(4))
    # The second part stands for another design, whose curves are searched together with those of the first.
    together, _ = fit_shapes(CurveModel.HILL, [everyone, replace(everyone, members=np.array([2]))], options)
    for curve in range(4):
        ((alone,),) = fit_shapes(CurveModel.HILL, [replace(everyone, members=np.array([curve]))], options)
        other = together[curve]
        for location in ("ec50", "crossing"):
            for name, value in vars(getattr(alone, location)).items():
                expected = np.nan if value is None else value
                own = getattr(getattr(other, location), name)
                assert (np.nan if own is None else own) == pytest.approx(expected, rel=1e-9, nan_ok=True)
        ends = [[np.nan if end is None else end for end in fit.slope_intervals["slope"]] for fit in (other, alone)]
        assert ends[0] == pytest.approx(ends[1], rel=1e-9, nan_ok=True)
