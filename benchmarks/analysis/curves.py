"""Calibration and speed of the dose-response fits, by simulation with known truth.

`python -m benchmarks.analysis.curves` writes the tables of docs/dose-response.md (seeds 0 to 4 pooled); `--quick` runs
a tenth of the simulations. The efficacy of negative controls is -1, that of positive controls +1; the noise of a well
is 0.25 unless a table says otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.results import CurveFit, CurveModel, CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.significance import q_values
from gandl_science.dose_response.verdict.interpretation import InterpretationRules, interpret_curve

from benchmarks.tables import share, write_between

NOISE = 0.25
SEEDS = range(5)
PLAIN, BOOTSTRAP = CurveOptions(), CurveOptions(n_bootstrap=1000)
Truth = Callable[[Float], Float]


@dataclass(frozen=True)
class Plan:
    """Doses (µM), evenly spaced in logarithm, and the number of wells per dose."""

    n_doses: int
    n_replicates: int
    low: float = 0.01
    high: float = 10.0

    @property
    def name(self) -> str:
        return f"{self.n_doses}×{self.n_replicates}"

    @property
    def concentrations(self) -> Float:
        return np.repeat(np.geomspace(self.low, self.high, self.n_doses), self.n_replicates)


def flat(level: float) -> Truth:
    return lambda c: np.full(c.shape, level)


def hill(ec50: float, slope: float = 1.5, bottom: float = -1.0, top: float = 1.0) -> Truth:
    return lambda c: bottom + (top - bottom) / (1.0 + (ec50 / c) ** slope)


def gain_loss(ec50: float, loss_ec50: float, slope: float = 2.0, loss_slope: float = 3.0) -> Truth:
    return lambda c: -1.0 + 2.0 / (1.0 + (ec50 / c) ** slope) / (1.0 + (c / loss_ec50) ** loss_slope)


def simulate(
    plan: Plan, truths: Iterable[Truth], rng: np.random.Generator, noise: float = NOISE
) -> list[DoseResponseData]:
    c = plan.concentrations
    return [DoseResponseData(c, truth(c) + rng.normal(size=c.size) * noise) for truth in truths]


def fitted(
    plan: Plan,
    truths: Callable[[np.random.Generator], list[Truth]],
    noise: float = NOISE,
    options: CurveOptions = PLAIN,
) -> list[CurveFit]:
    """Fits of seeds 0 to 4, pooled. The simulated null differs from seed to seed as it does for users."""
    fits: list[CurveFit] = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        fits += fit_curves(simulate(plan, truths(rng), rng, noise), options, rng)
    return fits


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
        p_values += [f.p_value for f in fit_curves(_ragged(plan, [flat(-1.0)] * n, rng), CurveOptions(), rng)]
    return p_values


def _ragged(plan: Plan, truths: Sequence[Truth], rng: np.random.Generator) -> list[DoseResponseData]:
    """Curves that each miss a tenth of their wells at random, so that nearly every one has its own design."""
    whole = simulate(plan, truths, rng)
    present = [rng.random(d.response.size) > 0.1 for d in whole]
    return [DoseResponseData(d.concentration[k], d.response[k]) for d, k in zip(whole, present, strict=True)]


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


def false_discoveries(n_screens: int) -> list[str]:
    """Screens of 200 compounds, a fifth active with a partial effect; share of q <= 0.05 that are flat."""
    rows = []
    for plan in (Plan(6, 6), Plan(6, 3)):
        shares, detected, active, false, calls = [], 0, 0, 0, 0
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            for _ in range(n_screens):
                truths = [hill(10 ** rng.uniform(-1, 0.5), 1.5, -1.0, -1.0 + 0.5) for _ in range(40)] + [
                    flat(-1.0)
                ] * 160
                q = q_values([f.p_value for f in fit_curves(simulate(plan, truths, rng), CurveOptions(), rng)])
                called = np.array([v is not None and v <= 0.05 for v in q])
                shares.append(called[40:].sum() / max(called.sum(), 1))
                detected, active = detected + int(called[:40].sum()), active + 40
                false, calls = false + int(called[40:].sum()), calls + int(called.sum())
        error = np.std(shares, ddof=1) / np.sqrt(len(shares))
        rows.append(
            f"| {plan.name} | {len(shares)} | {100 * np.mean(shares):.2f} % ± {100 * error:.2f} | "
            f"{share(false, calls)} | {detected} / {active} |"
        )
    head = (
        "| design | screens of 200 | false discoveries at q ≤ 0.05 (at most 5 %) | of all calls together | rate "
        "| 95 % interval | actives found |"
    )
    return [head, "|---|---|---|---|---|---|---|", *rows]


def outliers(n: int) -> list[str]:
    """Two wells of 35 replaced by gross outliers (+6 at the lowest dose)."""
    plan, truth = Plan(7, 5, 0.05, 200.0), hill(3.3, 1.5, 0.0, 1.0)
    rows = []
    for name, robust in (("least squares", False), ("as gandl fits", True)):
        estimates = []
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            data = []
            for clean in simulate(plan, [truth] * n, rng, 0.08):
                y = clean.response.copy()
                y[:2] += 6.0
                data.append(DoseResponseData(clean.concentration, y))
            fits = fit_curves(data, CurveOptions(robust=robust), rng)
            estimates += [f.ec50.estimate if f.ec50 is not None else np.nan for f in fits]
        e = np.array(estimates)
        finite = e[np.isfinite(e)]
        quantiles = " – ".join(f"{v:.3g}" for v in np.quantile(finite, [0.05, 0.95])) if finite.size else "none"
        rows.append(
            f"| {name} | {finite.size} / {e.size} | {np.median(finite) if finite.size else np.nan:.3g} | {quantiles} |"
        )
    return ["| fit | has a curve | median EC50 (truth 3.3) | 5 – 95 % |", "|---|---|---|---|", *rows]


def speed(n: int) -> list[str]:
    """Complete answers per second on one core, without bootstrap."""
    plan, rows = Plan(6, 6), []
    rng = np.random.default_rng(0)
    mixes: dict[str, list[Truth]] = {
        "a screen: 80 % flat, 15 % hill, 5 % gain-loss": [flat(-1.0)] * (n * 16 // 20)
        + [hill(0.3)] * (n * 3 // 20)
        + [gain_loss(0.1, 3.0)] * (n // 20),
        "a third each": [flat(-1.0)] * (n // 3) + [hill(0.3)] * (n // 3) + [gain_loss(0.1, 3.0)] * (n // 3),
        "all hill": [hill(0.3)] * n,
    }
    for name, truths in mixes.items():
        for size in (max(n // 10, 20), n):
            part = [truths[int(i)] for i in np.linspace(0, len(truths) - 1, size)]
            data = simulate(plan, part, rng)
            start = time.process_time()
            fit_curves(data, CurveOptions(), rng)
            rows.append(f"| {name} | {len(data)} | {len(data) / (time.process_time() - start):.0f} |")
    rows.append(
        f"| the screen, a well in ten missing | {n // 10} | {n // 10 / _ragged_seconds(plan, n // 10, rng):.0f} |"
    )
    rows.append(
        f"| all hill, each with its own doses | {n // 40} | {n // 40 / _apart_seconds(plan, n // 40, rng):.0f} |"
    )
    return ["| mix | curves at once | complete answers / s, one core |", "|---|---|---|", *rows]


def _ragged_seconds(plan: Plan, n: int, rng: np.random.Generator) -> float:
    """Seconds for n curves with missing wells."""
    data = _ragged(plan, [flat(-1.0)] * (n * 8 // 10) + [hill(0.3)] * (n * 2 // 10), rng)
    start = time.process_time()
    fit_curves(data, CurveOptions(), rng)
    return time.process_time() - start


def _apart_seconds(plan: Plan, n: int, rng: np.random.Generator) -> float:
    """Seconds for n curves none of which shares its doses with another."""
    data = simulate(plan, [hill(0.3)] * n, rng)
    moved = [
        DoseResponseData(d.concentration * factor, d.response)
        for d, factor in zip(data, rng.uniform(1, 2, n), strict=True)
    ]
    start = time.process_time()
    fit_curves(moved, CurveOptions(), rng)
    return time.process_time() - start


def report(scale: float) -> str:
    """All tables, in Markdown."""
    sections: list[tuple[str, Callable[[int], list[str]], int]] = [
        ("Type I error of the activity test (p, before Benjamini–Hochberg)", type_one, 2000),
        ("Coverage of the 95 % intervals (of EC50s where that model was chosen)", coverage, 200),
        ("Choice of model by AICc (6×6)", model_choice, 300),
        ("False discovery rate (a fifth active, effect a quarter of the span)", false_discoveries, 10),
        ("Bias of the EC50 (hill, slope 1.5)", bias, 200),
        ("Two gross outliers in 35 wells", outliers, 100),
        ("Speed", speed, 3000),
    ]
    parts = []
    for title, run, n in sections:
        start = time.perf_counter()
        parts += [f"### {title}", "", *run(max(int(n * scale), 4)), ""]
        print(f"{title}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the simulations, printed and not written")
    parser.add_argument("--out", type=Path, default=Path("docs/dose-response.md"))
    arguments = parser.parse_args()
    text = report(0.1 if arguments.quick else 1.0)
    if arguments.quick:
        print(text)
        return
    write_between(arguments.out, "calibration", text)


if __name__ == "__main__":
    main()
