"""One curve for every flag, from wells to the answer of the schema, with the truth from which it was simulated.

The efficacy is -1 to 1, the noise of a well 0.05. The verdict is what that truth deserves. Where the truth has an EC50,
the reported one must be true: the interval holds it, and `<` and `>` point to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from gandl_analysis.pipeline.curves.compounds import fit_wells
from gandl_analysis.pipeline.curves.off_axis import OffAxisRule
from gandl_analysis.pipeline.curves.settings import CurveSettings
from gandl_analysis.pipeline.curves.wells import CurveWell
from gandl_science.arrays import Float
from gandl_science.dose_response.records.inputs import CurveOptions, ResponseScale
from gandl_science.dose_response.verdict.interpretation import InterpretationRules
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.vocabulary import Flag

DOSES = np.geomspace(0.01, 10.0, 6)
NOISE = 0.05
Truth = Callable[[Float], Float]


def hill(ec50: float, slope: float = 1.5, top: float = 1.0) -> Truth:
    return lambda c: -1 + (top + 1) / (1 + (ec50 / c) ** slope)


@dataclass(frozen=True)
class Case:
    """A truth, the design that tests it, and the expected answer.

    `add` moves wells by their index, `empty_wells` hold no cells, and `plates` are the plates of the doses. `off` are
    off-axis distances per dose (limit 2). `at_chance`: the controls are not separated.
    """

    truth: Truth
    verdict: str
    ec50: float | None = None
    relation: str | None = None
    doses: Float = field(default_factory=lambda: DOSES)
    replicates: int = 4
    add: Mapping[int, float] = field(default_factory=dict)
    off: Float | None = None
    empty_wells: range = range(0)
    plates: Float = field(default_factory=lambda: np.zeros(6))
    noise: float = NOISE
    at_chance: bool = False


CASES: Mapping[str, Case] = {
    "inactive": Case(lambda c: np.full(c.shape, -1.0), "inactive"),
    "active_at_all_doses": Case(lambda c: np.full(c.shape, 0.9), "active", 0.0001, "<"),
    "active_at_lowest_dose": Case(lambda c: 0.9 - 4 / (1 + (1.0 / c) ** 3), "toxic", None, "="),
    "ec50_above_range": Case(hill(15.0, 1.2), "active", 15.0, ">"),
    "ec50_below_range": Case(hill(0.004, 1.0), "active", 0.004, "<"),
    "ec50_near_dose_limit": Case(hill(5.0, 2.0), "active", 5.0, "="),
    "top_not_reached": Case(hill(6.0, 1.0), "active", 6.0),
    "biphasic_toxic_drop": Case(
        lambda c: -1 + 2 / (1 + (0.1 / c) ** 2) / (1 + (c / 3) ** 3),
        "active_biphasic", 0.1, "=", np.geomspace(0.01, 10, 8),
    ),
    "single_dose_activity": Case(hill(6.0, 8.0), "active", 6.0),
    "negative_direction": Case(hill(0.3, top=-2.0), "toxic", 0.3, "="),
    "high_off_perturbation": Case(hill(0.3), "toxic", 0.3, "=", off=np.array([1, 3, 4, 5, 6, 7.0])),
    "empty_wells": Case(hill(0.3), "active", 0.3, "=", off=np.array([1, 1, 1, 1, 1, 9.0]), empty_wells=range(20, 24)),
    "lack_of_fit": Case(
        lambda c: hill(0.3)(c) + 0.2 * np.cos(np.pi * np.round(np.log(c / 0.01) / np.log(1000) * 7)),
        "active", None, "=", np.geomspace(0.01, 10, 8),
    ),
    "low_replicates": Case(hill(0.3), "active", 0.3, "=", np.geomspace(0.01, 10, 9), 1),
    "few_doses": Case(hill(0.3), "active", 0.3, "=", DOSES[[0, 2, 3, 5]], 6),
    "outliers_downweighted": Case(hill(0.3), "active", 0.3, "=", add={0: 8.0, 9: -8.0}),
    "limbs_overlap": Case(
        lambda c: -1 + 6 / (1 + (1.0 / c) ** 0.8) / (1 + (c / 0.3) ** 1.2),
        "active_biphasic", None, None, np.geomspace(0.003, 30, 8), 6,
    ),
    "unequal_scatter": Case(hill(1.0), "active", 1.0, "=", add={20: 0.4, 21: -0.4, 22: 0.4, 23: -0.4}),
    "assumes_equal_scatter": Case(hill(8.0, 3.0, -0.5), "active", replicates=2, noise=0.15),
    "many_outliers": Case(hill(0.3), "active", 0.3, "=", add={0: 8.0, 5: -8.0, 9: 8.0}),
    "confounded_with_plate": Case(hill(0.3), "undetermined", plates=np.arange(6)),
    "equal_replicates": Case(hill(0.3), "active", 0.3, "=", noise=0.0),
    "controls_at_chance": Case(hill(0.3), "undetermined", at_chance=True),
    "slope_at_bound": Case(hill(0.3, 30.0), "active", None, "=", np.geomspace(0.1, 1, 9)),
}  # fmt: skip


def curve_of(case: Case) -> Curve:
    c = np.repeat(case.doses, case.replicates)
    y = case.truth(c) + np.random.default_rng(1).normal(size=c.size) * case.noise
    for well, distance in case.add.items():
        y[well] += distance
    off = np.ones(c.size) if case.off is None else np.repeat(case.off, case.replicates)
    wells = [
        CurveWell(
            compound="X",
            cell_line="U2OS",
            concentration=dose,
            response=response,
            plate=f"P{case.plates[i // case.replicates % case.plates.size]:g}",
            well=f"A{i + 1:02d}",
            off_distance=distance,
            excluded="no cells" if i in case.empty_wells else None,
            is_empty=i in case.empty_wells,
        )
        for i, (dose, response, distance) in enumerate(zip(c.tolist(), y.tolist(), off.tolist(), strict=True))
    ]
    settings = CurveSettings(
        options=CurveOptions(n_null=2000), rules=InterpretationRules(scale=ResponseScale()), seed=0
    )
    undirected = ("U2OS",) if case.at_chance else ()
    (curve,) = fit_wells(wells, settings, {"U2OS": OffAxisRule(limit=2.0)}, undirected=undirected)
    return curve


def test_every_flag_of_the_schema_has_a_curve() -> None:
    assert set(CASES) == set(Flag)


@pytest.mark.parametrize("flag", CASES)
def test_flag(flag: Flag) -> None:
    case = CASES[flag]
    curve = curve_of(case)
    assert flag in curve.flags
    assert curve.verdict == case.verdict
    if case.relation is not None:
        assert curve.ec50.relation == case.relation
    if case.ec50 is not None:
        assert (curve.ec50.low or 0.0) < case.ec50 < (curve.ec50.high or np.inf)


def test_an_ordinary_curve_has_no_flag() -> None:
    assert curve_of(Case(hill(0.3), "active")).flags == ()


def test_a_flag_is_not_there_without_its_cause() -> None:
    """The other flags of each curve are few: none comes with every curve."""
    flags_of = {flag: curve_of(case).flags for flag, case in CASES.items()}
    for flag in CASES:
        others = [cause for cause, flags in flags_of.items() if flag in flags and cause != flag]
        assert len(others) <= 3, (flag, others)
