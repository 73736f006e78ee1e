"""The separation of two groups of control wells. Scores must be out-of-fold, because in-sample scores flatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float
from gandl_science.assay.spread import robust_sd


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How well two groups of wells are separated. A measure is None where a group has fewer than two wells.

    Z′ is None too where the mean of the positive group is below that of the negative one. Its formula uses the distance
    without the sign and would praise an axis that points the wrong way; SSMD and ROC AUC show such an axis.
    """

    z_prime: float | None
    z_prime_robust: float | None
    ssmd: float | None
    roc_auc: float | None
    n_positive: int
    n_negative: int


def separation(positive: Float, negative: Float) -> Separation:
    """Return all measures for the scores of positive [P] and negative [N] control wells."""
    enough = len(positive) > 1 and len(negative) > 1
    return Separation(
        z_prime=z_prime(positive, negative) if enough and positive.mean() > negative.mean() else None,
        z_prime_robust=z_prime_robust(positive, negative)
        if enough and np.median(positive) > np.median(negative)
        else None,
        ssmd=ssmd(positive, negative) if enough else None,
        roc_auc=roc_auc(positive, negative) if len(positive) and len(negative) else None,
        n_positive=len(positive),
        n_negative=len(negative),
    )


def z_prime(positive: Float, negative: Float) -> float | None:
    """Return 1 - 3 (s₊ + s₋) / |m₊ - m₋|, s with n - 1 (Zhang, Chung and Oldenburg 1999); None for equal means."""
    return _z_prime(positive.mean(), negative.mean(), positive.std(ddof=1) + negative.std(ddof=1))


def z_prime_robust(positive: Float, negative: Float) -> float | None:
    """Return Z′ with medians and 1.4826 MAD."""
    return _z_prime(float(np.median(positive)), float(np.median(negative)), robust_sd(positive) + robust_sd(negative))


def ssmd(positive: Float, negative: Float) -> float | None:
    """Return (m₊ - m₋) / √(s₊² + s₋²) (Zhang 2007); None for groups without spread."""
    spread = np.sqrt(positive.var(ddof=1) + negative.var(ddof=1))
    return float((positive.mean() - negative.mean()) / spread) if spread > 0 else None


def v_factor(doses: Sequence[Float], positive: Float, negative: Float) -> float | None:
    """Return 1 - 6 s / (m₊ - m₋), s the mean standard deviation of the replicates of a dose (Ravkin 2004).

    The result is None where no dose has two wells, a control is missing, or the mean of the positive controls is not
    above that of the negative ones.
    """
    spreads = [values.std(ddof=1) for values in doses if len(values) > 1]
    if not spreads or not len(positive) or not len(negative):
        return None
    distance = float(positive.mean() - negative.mean())
    return float(1 - 6 * np.mean(spreads) / distance) if distance > 0 else None


def roc_auc(positive: Float, negative: Float) -> float:
    """Return the probability that a positive control scores above a negative one; ties count half."""
    # sklearn.metrics.roc_auc_score integrates a curve and differs in the last bit in a third of the cases. Counting
    # pairs is exact and as short, so stored results stay equal bit for bit.
    above = positive[:, None] > negative[None, :]
    equal = positive[:, None] == negative[None, :]
    return float(above.mean() + equal.mean() / 2)


def _z_prime(m_positive: float, m_negative: float, spread: float) -> float | None:
    distance = abs(m_positive - m_negative)
    return float(1 - 3 * spread / distance) if distance > 0 else None


@dataclass(frozen=True, kw_only=True)
class ScoreRange:
    """The mean of scores, and three standard deviations below and above it."""

    mean: float
    low: float
    high: float


def three_sigma_range(scores: Float) -> ScoreRange:
    """Return the range whose gap between the two control groups Z′ measures, of scores [W] of at least one well. The
    range of a single well is its score."""
    mean = float(scores.mean())
    spread = 3 * float(scores.std(ddof=1)) if len(scores) > 1 else 0.0
    return ScoreRange(mean=mean, low=mean - spread, high=mean + spread)
