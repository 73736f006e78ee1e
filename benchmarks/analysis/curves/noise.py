"""Noise that is not normal: type I error, false calls among inert compounds, and the price of downweighting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.records.vocabulary import Null
from gandl_science.dose_response.significance.false_discovery import q_values

from benchmarks.analysis.curves.simulation import NOISE, SEEDS, Plan, Truth, flat, hill
from benchmarks.tables import row

Draw = Callable[[np.random.Generator, Float], Float]
"""Noise of wells in units of the ordinary one, from the rank (n,) of the dose of each well, 1 at the lowest."""


def _steps(factor: Callable[[Float], Float]) -> Draw:
    return lambda rng, rank: factor(rank) * rng.normal(size=rank.size)


def _outliers(rng: np.random.Generator, rank: Float) -> Float:
    gross = rng.random(rank.size) < 0.02
    return np.asarray(rng.normal(size=rank.size) + np.where(gross, rng.choice([-20.0, 20.0], rank.size), 0.0))


NOISES: dict[str, Draw] = {
    "normal": _steps(np.ones_like),
    "highest dose 5 times": _steps(lambda rank: np.where(rank == rank.max(), 5.0, 1.0)),
    "lowest dose 5 times": _steps(lambda rank: np.where(rank == 1, 5.0, 1.0)),
    "two highest doses 5 times": _steps(lambda rank: np.where(rank >= rank.max() - 1, 5.0, 1.0)),
    "in proportion to the rank of the dose": _steps(lambda rank: rank),
    "Student's t, 3 degrees of freedom": lambda rng, rank: rng.standard_t(3, size=rank.size),
    "lognormal": lambda rng, rank: rng.lognormal(size=rank.size),
    "2 % gross outliers": _outliers,
    "capped at its median": lambda rng, rank: np.maximum(rng.normal(size=rank.size), 0.0),
}


def noisy(
    plan: Plan, draw: Draw, n: int, rng: np.random.Generator, truth: Truth | None = None
) -> list[DoseResponseData]:
    """Curves of one truth, flat if it is None."""
    c = plan.concentrations
    rank = np.unique(c, return_inverse=True)[1] + 1.0
    level = (truth or flat(-1.0))(c)
    return [DoseResponseData(c, level + NOISE * draw(rng, rank)) for _ in range(n)]


@dataclass(kw_only=True)
class Tally:
    """The p-values of fits and whether each is flagged for its noise."""

    p: list[float] = field(default_factory=list)
    flagged: list[bool] = field(default_factory=list)

    def add(self, fits: Sequence[CurveFit]) -> None:
        self.p += [1.0 if fit.p_value is None else fit.p_value for fit in fits]
        self.flagged += [fit.has_unequal_scatter or fit.assumes_equal_scatter or fit.has_many_outliers for fit in fits]

    def percent(self, level: float) -> str:
        return f"{100 * np.mean(np.array(self.p) <= level):.1f} %"

    def percent_without_flag(self, level: float) -> str:
        return f"{100 * np.mean((np.array(self.p) <= level) & ~np.array(self.flagged)):.1f} %"


def _tally(plan: Plan, draw: Draw, n: int, options: CurveOptions, truth: Truth | None = None) -> Tally:
    tally = Tally()
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        tally.add(fit_curves(noisy(plan, draw, n, rng, truth), options, rng))
    return tally


def other_noise(n: int) -> list[str]:
    """Inert compounds called by p, as a rate and as a rate without a flag about their noise; the price for effects."""
    rows = []
    for name, draw in NOISES.items():
        for plan in (Plan(6, 6), Plan(6, 3), Plan(7, 2), Plan(7, 1)):
            plain = _tally(plan, draw, n, CurveOptions(null=Null.NORMAL))
            tally = _tally(plan, draw, n, CurveOptions())
            cells = [tally.percent(0.05), tally.percent_without_flag(0.05), tally.percent(0.01)]
            cells += [tally.percent(0.001), tally.percent_without_flag(0.001)]
            rows.append(row(name, plan.name, plain.percent(0.05), plain.percent(0.001), *cells))
    for truth_name, truth in (("full effect", hill(0.3)), ("a quarter of the span", hill(0.5, top=-0.5))):
        for plan in (Plan(6, 6), Plan(6, 3), Plan(7, 2), Plan(7, 1)):
            plain = _tally(plan, NOISES["normal"], n, CurveOptions(null=Null.NORMAL), truth)
            tally = _tally(plan, NOISES["normal"], n, CurveOptions(), truth)
            cells = [tally.percent(0.05), tally.percent_without_flag(0.05), tally.percent(0.01)]
            cells += [tally.percent(0.001), tally.percent_without_flag(0.001)]
            rows.append(row(f"**{truth_name}**, normal", plan.name, plain.percent(0.05), plain.percent(0.001), *cells))
    head = ["noise", "design", "5 %, null `normal`", "0.1 %, null `normal`", "5 %", "of these without a flag", "1 %"]
    return [row(*head, "0.1 %", "of these without a flag"), "|---" * 9 + "|", *rows]


def inert_screens(n: int) -> list[str]:
    """False calls in a screen of n inert compounds, by the null that the user asks for."""
    plan, nulls, rows = Plan(6, 3), (Null.NORMAL, Null.AUTOMATIC, Null.UNEQUAL, Null.PERMUTATION), []
    for name, draw in NOISES.items():
        cells = []
        for null in nulls:
            calls, bare = [], []
            for seed in SEEDS:
                rng = np.random.default_rng(seed)
                fits = fit_curves(noisy(plan, draw, n, rng), CurveOptions(null=null), rng)
                called = np.array([q is not None and q <= 0.05 for q in q_values([fit.p_value for fit in fits])])
                tally = Tally()
                tally.add(fits)
                cautious = q_values([fit.cautious_p for fit in fits])
                flagged = np.array(tally.flagged) | np.array([q is not None and q > 0.05 for q in cautious])
                calls.append(called.sum())
                bare.append((called & ~flagged).sum())
            cells.append(f"{np.mean(calls):.1f} ({np.mean(bare):.1f})")
        rows.append(row(name, *cells))
    return [row("noise", *(f"null `{null}` (without a flag)" for null in nulls)), "|---|---|---|---|---|", *rows]


def downweighting(n: int) -> list[str]:
    """Type I error and coverage with and without the weights against outliers."""
    rows, truth = [], hill(0.3)
    for name in ("normal", "Student's t, 3 degrees of freedom", "2 % gross outliers", "capped at 0 and 1"):
        for plan in (Plan(6, 3), Plan(9, 4)):
            for robust in (True, False):
                p, holds, light, curves = 0.0, 0, 0.0, 0
                for seed in SEEDS:
                    rng = np.random.default_rng(seed)
                    options = CurveOptions(robust=robust, null=Null.NORMAL)
                    inert = fit_curves(_limited(plan, name, n, rng, flat(-1.0)), options, rng)
                    p += sum(fit.p_value is not None and fit.p_value <= 0.05 for fit in inert) / len(inert) / len(SEEDS)
                    full = fit_curves(_limited(plan, name, n, rng, truth), options, rng)
                    ends = [fit.ec50 for fit in full if fit.ec50 is not None]
                    holds += sum((end.low or 0.0) <= 0.3 <= (end.high or np.inf) for end in ends)
                    curves += len(ends)
                    light += sum(np.mean(fit.weights < 1) for fit in full) / len(full) / len(SEEDS)
                mode = "downweighted" if robust else "full weight"
                rows.append(
                    row(
                        name,
                        plan.name,
                        mode,
                        f"{100 * p:.1f} %",
                        f"{100 * holds / curves:.1f} %",
                        f"{100 * light:.1f} %",
                    )
                )
    head = row("noise", "design", "outliers", "type I error at 5 %", "coverage of the EC50", "wells downweighted")
    return [head, "|---|---|---|---|---|---|", *rows]


def _limited(plan: Plan, name: str, n: int, rng: np.random.Generator, truth: Truth) -> list[DoseResponseData]:
    """Curves with this noise; capped ones end at the efficacies -1 and 1, which are 0 and 1 of the span."""
    if name in NOISES:
        return noisy(plan, NOISES[name], n, rng, truth)
    whole = noisy(plan, NOISES["normal"], n, rng, truth)
    return [DoseResponseData(data.concentration, np.clip(data.response, -1.0, 1.0)) for data in whole]
