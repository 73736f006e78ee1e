"""Type I error, coverage, bias and choice of the model with normal noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.inputs import CurveOptions, ResponseScale
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.verdict.interpretation import InterpretationRules, interpret_curve

from benchmarks.analysis.curves.simulation import (
    BOOTSTRAP,
    SEEDS,
    Plan,
    Truth,
    fitted,
    flat,
    gain_loss,
    hill,
    ragged,
)
from benchmarks.tables import share


def type_one(n: int) -> list[str]:
    """Flat compounds called significant by p."""
    rows = []
    for plan in (Plan(6, 6), Plan(6, 3), Plan(6, 1)):
        p = np.array([f.p_value for f in fitted(plan, lambda _: [flat(-1.0)] * n)], dtype=float)
        rows += [f"| {plan.name} | {a} | {share(int((p <= a).sum()), p.size)} |" for a in (0.05, 0.01, 0.001)]
    p = np.array(_ragged_p(Plan(6, 6), n // 2), dtype=float)
    rows += [f"| 6×6, a well in ten missing | {a} | {share(int((p <= a).sum()), p.size)} |" for a in (0.05, 0.01)]
    return ["| design | level | significant | rate | 95 % interval |", "|---|---|---|---|---|", *rows]


def _ragged_p(plan: Plan, n: int) -> list[float | None]:
    p_values: list[float | None] = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        p_values += [f.p_value for f in fit_curves(ragged(plan, [flat(-1.0)] * n, rng), CurveOptions(), rng)]
    return p_values


@dataclass(frozen=True, kw_only=True)
class CoverageCase:
    """A truth whose interval is checked: that of its EC50, or `of_loss` that of its loss EC50."""

    name: str
    plan: Plan
    truth: Truth
    ec50: float
    model: CurveModel = CurveModel.HILL
    of_loss: bool = False


_BELL = {"truth": gain_loss(0.1, 3.0), "model": CurveModel.GAIN_LOSS}
COVERAGE = (
    CoverageCase(name="hill, EC50 in the middle", plan=Plan(6, 6), truth=hill(0.3), ec50=0.3),
    CoverageCase(name="hill, steep", plan=Plan(6, 6), truth=hill(0.3, 3.0), ec50=0.3),
    CoverageCase(name="hill, EC50 at the second highest dose", plan=Plan(6, 6), truth=hill(2.5), ec50=2.5),
    CoverageCase(name="hill, three replicates", plan=Plan(6, 3), truth=hill(0.3), ec50=0.3),
    CoverageCase(name="hill, nine doses × four", plan=Plan(9, 4), truth=hill(0.3), ec50=0.3),
    CoverageCase(name="gain-loss, gain EC50", plan=Plan(8, 6), ec50=0.1, **_BELL),
    CoverageCase(name="gain-loss, loss EC50", plan=Plan(8, 6), ec50=3.0, of_loss=True, **_BELL),
    CoverageCase(name="gain-loss, loss EC50, three replicates", plan=Plan(8, 3), ec50=3.0, of_loss=True, **_BELL),
)


def coverage(n: int) -> list[str]:
    """Intervals of the EC50 that cover the truth; an open side covers everything on it."""
    rows = []
    for case in COVERAGE:
        plan, truth = case.plan, case.truth
        fits = [f for f in fitted(plan, lambda _, t=truth: [t] * n) if f.model is case.model]
        ends = [f.loss_ec50 if case.of_loss else f.ec50 for f in fits]
        intervals = [e for e in ends if e is not None]
        covering = sum((e.low or 0.0) <= case.ec50 <= (e.high or np.inf) for e in intervals)
        is_open = sum(e.low is None or e.high is None for e in intervals)
        percent_open = f"{100 * is_open / len(intervals):.1f} %"
        rows.append(f"| {case.name} | {plan.name} | {share(covering, len(intervals))} | {percent_open} |")
    for wells in (3, 4, 6):
        plan = Plan(6, wells)
        doses = [d for f in fitted(plan, lambda _: [hill(0.3)] * n, options=BOOTSTRAP) for d in f.doses]
        covering = sum(d.low <= hill(0.3)(np.array([d.concentration]))[0] <= d.high for d in doses)
        rows.append(f"| mean of a dose, bootstrap over {wells} wells | {plan.name} | {share(covering, len(doses))} | |")
    return ["| truth | design | holds the truth | rate | 95 % interval | open |", "|---|---|---|---|---|---|", *rows]


def bias(n: int) -> list[str]:
    """The log10 of estimate over truth where the EC50 is reported with `=`."""
    rows = []
    for plan in (Plan(6, 6), Plan(6, 3), Plan(9, 4)):
        for ec50 in (0.1, 0.3, 1.0, 3.0):
            fits = fitted(plan, lambda _, e=ec50: [hill(e)] * n)
            rules = InterpretationRules(scale=ResponseScale())
            reported = [interpret_curve(f, f.p_value, rules).ec50 for f in fits]
            error = np.array([np.log10(r.value / ec50) for r in reported if r.relation == "=" and r.value is not None])
            rows.append(
                f"| {plan.name} | {ec50} | {len(error)} / {len(fits)} | {error.mean():+.3f} ± "
                f"{error.std(ddof=1) / np.sqrt(error.size):.3f} | {np.median(error):+.3f} | {error.std(ddof=1):.3f} |"
            )
    head = "| design | true EC50 | reported with `=` | mean error, decades | median | SD |"
    return [head, "|---|---|---|---|---|---|", *rows]


def model_choice(n: int) -> list[str]:
    """Three hundred curves of each model per seed at full size."""
    plan = Plan(6, 6)
    shapes: dict[str, Callable[[np.random.Generator], Truth]] = {
        "constant": lambda _: flat(-1.0),
        "hill": lambda rng: hill(10 ** rng.uniform(-1.3, 0.3), rng.uniform(1.0, 3.0)),
        "gain_loss": lambda rng: gain_loss(10 ** rng.uniform(-1.3, -0.7), 10 ** rng.uniform(0.2, 0.6)),
    }
    rows, right, total = [], 0, 0
    for name, make in shapes.items():
        counts = Counter(f.model for f in fitted(plan, lambda rng, m=make: [m(rng) for _ in range(n)]))
        right, total = right + counts[name], total + counts.total()
        cells = " | ".join(str(counts[model]) for model in shapes)
        rows.append(f"| {name} | {cells} | {share(counts[name], counts.total())} |")
    rows.append(f"| all | | | | {share(right, total)} |")
    return [
        "| truth | constant | hill | gain-loss | right | rate | 95 % interval |",
        "|---|---|---|---|---|---|---|",
        *rows,
    ]
