"""Published curves: our least-squares optimum against an independent solver, and against published values.

The other solver is scipy's bounded trust region on all parameters at once, plateaus included, from random starts; ours
searches a grid and solves the plateaus linearly. The tables and their sources are described in README.md.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.models import GAIN_LOSS, HILL, Shape, log_dose
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.solver.curves import solve
from scipy.optimize import least_squares

TABLE = Path(__file__).parent / "tables" / "published_curves.csv"
BELLS = ("neutcurve SerumAd0_A India-PUN-NIV328484 2021", "neutcurve SerumAd0_A Togo 0274")
"""Sets to which a gain-loss curve is fitted too: the AICc prefers it there."""


def read_sets() -> Mapping[str, DoseResponseData]:
    wells: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with TABLE.open(newline="") as file:
        for record in csv.DictReader(file):
            wells[record["compound"]].append((float(record["concentration_um"]), float(record["response"])))
    return {name: DoseResponseData(*np.array(points).T) for name, points in wells.items()}


SETS = read_sets()


def our_rss(data: DoseResponseData, shape: Shape) -> float:
    """The residual sum of squares of our best curve of this shape, with all wells at full weight."""
    _, design = next(designs([data], CurveOptions(robust=False)))
    solution = solve(design.data, shape, design.space, 3)
    return float(solution.misfit[0] + design.data.pure[0])


def multistart_rss(data: DoseResponseData, shape: Shape, n_starts: int) -> Float:
    """The residual sums of squares that scipy reaches from random starts within the bounds of our search, ascending."""
    _, design = next(designs([data], CurveOptions()))
    x, y, span = log_dose(data.concentration), data.response, float(np.ptp(data.response))
    low, high = (ends[0] for ends in shape.bounds(design.space))

    def residual(parameters: Float) -> Float:
        bottom, top = parameters[:2]
        return np.asarray(bottom + (top - bottom) * shape.basis(x, parameters[2:]) - y)

    # Plateaus start near the responses and are practically free.
    near = (np.r_[[y.min() - 0.3 * span] * 2, low], np.r_[[y.max() + 0.3 * span] * 2, high])
    free = (np.r_[[y.min() - 1e3 * span] * 2, low], np.r_[[y.max() + 1e3 * span] * 2, high])
    x_scale = np.r_[span, span, np.ones(shape.n_theta)]
    starts = np.random.default_rng(1).uniform(*near, size=(n_starts, shape.n_parameters))
    criteria = {"xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14, "max_nfev": 400}
    return np.sort(
        [2.0 * least_squares(residual, start, bounds=free, x_scale=x_scale, **criteria).cost for start in starts]
    )


def test_every_published_set_is_read() -> None:
    assert {name: data.response.size for name, data in SETS.items()} == {
        "lettuce": 14,
        "secalonic": 7,
        "spinach:4": 21,
        "spinach:5": 21,
        "NIST_Rat42": 9,
        "NIST_Rat43": 15,
        "neutcurve SerumAd0_A India-PUN-NIV328484 2021": 30,
        "neutcurve SerumAd0_A Togo 0274": 30,
        "neutcurve SerumBd0_A Bangladesh 3210810034": 20,
        "neutcurve SerumBd0_A Bangladesh 8002": 20,
        "neutcurve SerumBd0_A SouthAfrica R14850": 20,
    }


@pytest.mark.parametrize("name", SETS)
def test_our_hill_curve_is_the_optimum_of_an_independent_solver(name: str) -> None:
    rss = multistart_rss(SETS[name], HILL, 8)
    assert our_rss(SETS[name], HILL) == pytest.approx(rss[0], rel=1e-6)
    assert rss[1] == pytest.approx(rss[0], rel=1e-6), "the other solver must have converged more than once"


@pytest.mark.parametrize("name", BELLS)
def test_our_gain_loss_curve_is_the_optimum_of_an_independent_solver(name: str) -> None:
    rss = multistart_rss(SETS[name], GAIN_LOSS, 12)
    assert our_rss(SETS[name], GAIN_LOSS) == pytest.approx(rss[0], rel=1e-6)
    assert rss[1] == pytest.approx(rss[0], rel=1e-6), "the other solver must have converged more than once"


def fit(name: str, options: CurveOptions) -> CurveFit:
    return fit_curves([SETS[name]], options, np.random.default_rng(0))[0]


def test_spinach_has_the_published_optimum() -> None:
    """The published values have six digits."""
    curve = fit("spinach:5", CurveOptions(robust=False, n_null=1000))
    assert curve.model == "hill"
    assert curve.params["ec50"].estimate == pytest.approx(0.210796, abs=1e-6)
    assert curve.rss == pytest.approx(0.159994, abs=1e-6)


def test_the_activity_of_secalonic_acid_has_the_simulated_p() -> None:
    """Seven single wells: 2.4e-4 by simulation of normal noise, but 2 of 5,040 orders is the least they can show."""
    curve = fit("secalonic", CurveOptions())
    assert curve.p_value is not None
    assert 2 / 5040 - 1e-12 <= curve.p_value < 5e-3
