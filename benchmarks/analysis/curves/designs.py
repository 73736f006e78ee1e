"""Small designs, designs whose wells share plates, curves of other forms, and bounds by the place of the EC50."""

from __future__ import annotations

from collections import Counter

import numpy as np
from gandl_science.arrays import Float, Index
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.records.vocabulary import Relation
from gandl_science.dose_response.verdict.interpretation import Interpretation, InterpretationRules, interpret_curve

from benchmarks.analysis.curves.simulation import NOISE, SEEDS, Plan, Truth, fitted, hill, simulate
from benchmarks.tables import row, share

_OPTIONS = CurveOptions(scale=ResponseScale())


def _meaning(fit: CurveFit) -> Interpretation:
    rules = InterpretationRules(scale=ResponseScale())
    return interpret_curve(fit, fit.p_value, rules, equal_scatter_q=fit.equal_scatter_p)


def bump(c: Float) -> Float:
    """A small fall at low doses before a full effect."""
    return hill(1.0, 2.0)(c) - 0.5 / (1 + (0.03 / c) ** 2) / (1 + (c / 0.2) ** 2)


def rescue(c: Float) -> Float:
    """A rise that is not complete at the highest dose."""
    return hill(10.0, 1.2)(c)


def small_designs(n: int) -> list[str]:
    """Verdicts of single-well designs, of a bump before a full effect, and of an incomplete rescue."""
    cases: list[tuple[str, Plan, Truth, float]] = [
        *(("full effect", Plan(doses, 1), hill(0.3), 0.3) for doses in (7, 8, 9)),
        ("full effect", Plan(6, 3), hill(0.3), 0.3),
        ("a bump before the full effect", Plan(8, 3), bump, 1.0),
        ("an incomplete rescue", Plan(6, 3), rescue, 10.0),
    ]
    rows = []
    for name, plan, truth, ec50 in cases:
        meanings = [_meaning(fit) for fit in fitted(plan, lambda _, t=truth: [t] * n, options=_OPTIONS)]
        verdicts = Counter(str(meaning.verdict) for meaning in meanings)
        reports = [meaning.ec50 for meaning in meanings if meaning.ec50.relation is not None]
        holds = sum((end.low or 0.0) <= ec50 <= (end.high or np.inf) for end in reports)
        flagged = sum("assumes_equal_scatter" in meaning.flags for meaning in meanings) / len(meanings)
        counts = ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common())
        share_true = f"{holds} / {len(reports)}"
        rows.append(row(name, plan.name, counts, share_true, f"{100 * flagged:.1f} %"))
    head = row("truth", "design", "verdicts", "interval or bound holds the EC50", "`assumes_equal_scatter`")
    return [head, "|---|---|---|---|---|", *rows]


def plates(n: int) -> list[str]:
    """Inert compounds whose wells share errors of plates, by the correlation of wells within a plate."""
    rows = []
    for name, codes in _LAYOUTS.items():
        for correlation in (0.1, 0.3, 0.5):
            p: list[float | None] = []
            for seed in SEEDS:
                rng = np.random.default_rng(seed)
                p += [fit.p_value for fit in fit_curves(_plated(codes, correlation, n, rng), CurveOptions(), rng)]
            tested = [value for value in p if value is not None]
            refused = f"{100 * (1 - len(tested) / len(p)):.0f} %"
            rows.append(row(name, correlation, share(sum(value <= 0.05 for value in tested), len(tested)), refused))
    head = "| plates | correlation | significant at 5 % | rate | 95 % interval | refused |"
    return [head, "|---|---|---|---|---|---|", *rows]


_DOSE = np.repeat(np.arange(6), 4)
_LAYOUTS: dict[str, Index] = {
    "crossed: each of 4 plates has all 6 doses": np.tile(np.arange(4), 6),
    "nested: each dose has 2 plates of its own": np.arange(24) // 2,
    "aliased: each dose on a plate of its own": _DOSE,
}


def _plated(codes: Index, correlation: float, n: int, rng: np.random.Generator) -> list[DoseResponseData]:
    c = np.geomspace(0.01, 10.0, 6)[_DOSE]
    data = []
    for _ in range(n):
        shared = rng.normal(size=codes.max() + 1)[codes] * np.sqrt(correlation)
        own = rng.normal(size=c.size) * np.sqrt(1 - correlation)
        data.append(DoseResponseData(c, -1 + NOISE * (shared + own), codes))
    return data


def bounds(n: int) -> list[str]:
    """Reported EC50s by the place of the true one: how often bounds are false, and closed intervals hold it."""
    plan, rows, pooled = Plan(6, 3), [], np.zeros((4, 2), int)
    n_silent = 0
    for ec50 in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0):
        reports = []
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            truths = [hill(ec50, slope) for slope in (0.8, 1.5, 3.0) for _ in range(n)]
            reports += [_meaning(fit) for fit in fit_curves(simulate(plan, truths, rng), CurveOptions(), rng)]
        counts, silent = _bound_counts(reports, ec50)
        pooled, n_silent = pooled + counts, n_silent + silent
        rows.append(row(ec50, *_bound_cells(counts), silent))
    rows.append(row("all", *_bound_cells(pooled), n_silent))
    head = row(
        "true EC50",
        "false bounds",
        "closed interval holds it",
        "the same, `ec50_near_dose_limit`",
        "whatever is told holds it",
        "no EC50",
    )
    return [head, "|---|---|---|---|---|---|", *rows]


def _bound_counts(reports: list[Interpretation], ec50: float) -> tuple[Index, int]:
    """Return hits and numbers (4, 2) of false bounds, of closed intervals that hold the truth without and with the
    flag, and of both kinds of truths told; and how many curves have no EC50."""
    answers = [m for m in reports if m.ec50.relation is not None]
    holds = np.array([(m.ec50.low or 0.0) <= ec50 <= (m.ec50.high or np.inf) for m in answers])
    closed = np.array([m.ec50.relation is Relation.EQUAL for m in answers])
    near = np.array(["ec50_near_dose_limit" in m.flags for m in answers])
    groups = ((~closed, ~holds), (closed & ~near, holds), (closed & near, holds), (closed | ~closed, holds))
    return np.array([[(group & hit).sum(), group.sum()] for group, hit in groups]), len(reports) - len(answers)


def _bound_cells(counts: Index) -> list[str]:
    return [f"{hits} / {n}" + (f" ({100 * hits / n:.1f} %)" if n >= 20 else "") for hits, n in counts.tolist()]
