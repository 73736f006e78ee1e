"""Simulated curves with known truth: designs, truths, and fits of several seeds together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData

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


def ragged(plan: Plan, truths: Sequence[Truth], rng: np.random.Generator) -> list[DoseResponseData]:
    """Curves that each miss a tenth of their wells at random, so that nearly every one has its own design."""
    whole = simulate(plan, truths, rng)
    present = [rng.random(d.response.size) > 0.1 for d in whole]
    return [DoseResponseData(d.concentration[k], d.response[k]) for d, k in zip(whole, present, strict=True)]
