"""Complete answers per second."""

from __future__ import annotations

import time

import numpy as np
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData

from benchmarks.analysis.curves.simulation import Plan, Truth, flat, gain_loss, hill, ragged, simulate


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
    data = ragged(plan, [flat(-1.0)] * (n * 8 // 10) + [hill(0.3)] * (n * 2 // 10), rng)
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
