"""False discoveries and gross outliers."""

from __future__ import annotations

import numpy as np
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.significance.false_discovery import q_values

from benchmarks.analysis.curves.simulation import SEEDS, Plan, flat, hill, simulate
from benchmarks.tables import share


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
