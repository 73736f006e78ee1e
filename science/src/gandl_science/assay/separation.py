"""Assay quality of control scores. Give out-of-fold scores: in-sample ones flatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
_MAD = 1.4826  # makes the median absolute deviation an estimate of a normal standard deviation


@dataclass(frozen=True)
class Separation:
    """How well two groups of wells are told apart; None where a group has fewer than two wells. There is no Z′ either
    where the positive group lies below the negative one: its formula takes the distance without the sign, and would
    praise an axis that points the wrong way. SSMD and ROC AUC say so."""

    z_prime: float | None
    z_prime_robust: float | None
    ssmd: float | None
    roc_auc: float | None
    n_positive: int
    n_negative: int


def separation(positive: Float, negative: Float) -> Separation:
    """All measures of scores of positive [P] and negative [N] control wells."""
    enough = len(positive) > 1 and len(negative) > 1
    return Separation(
        z_prime(positive, negative) if enough and positive.mean() > negative.mean() else None,
        z_prime_robust(positive, negative) if enough and np.median(positive) > np.median(negative) else None,
        ssmd(positive, negative) if enough else None,
        roc_auc(positive, negative) if len(positive) and len(negative) else None,
        len(positive),
        len(negative),
    )


def z_prime(positive: Float, negative: Float) -> float | None:
    """1 - 3 (s₊ + s₋) / |m₊ - m₋|, s with n - 1 (Zhang, Chung and Oldenburg 1999). None if the means are equal."""
    return _z(positive.mean(), negative.mean(), positive.std(ddof=1), negative.std(ddof=1))


def z_prime_robust(positive: Float, negative: Float) -> float | None:
    """Z′ with medians and 1.4826 MAD."""
    centres = np.median(positive), np.median(negative)
    spreads = [_MAD * np.median(np.abs(x - c)) for x, c in zip((positive, negative), centres, strict=True)]
    return _z(*centres, *spreads)


def ssmd(positive: Float, negative: Float) -> float | None:
    """(m₊ - m₋) / √(s₊² + s₋²) (Zhang 2007)."""
    spread = np.sqrt(positive.var(ddof=1) + negative.var(ddof=1))
    return float((positive.mean() - negative.mean()) / spread) if spread > 0 else None


def v_factor(doses: Sequence[Float], positive: Float, negative: Float) -> float | None:
    """1 - 6 s / (m₊ - m₋), s the mean standard deviation of the replicates of a dose (Ravkin 2004). None where no dose
    has two wells, a control is missing, or the positive controls do not lie above the negative ones."""
    spreads = [values.std(ddof=1) for values in doses if len(values) > 1]
    if not spreads or not len(positive) or not len(negative):
        return None
    distance = float(positive.mean() - negative.mean())
    return float(1 - 6 * np.mean(spreads) / distance) if distance > 0 else None


def roc_auc(positive: Float, negative: Float) -> float:
    """Probability that a positive control scores above a negative one, ties counted half."""
    above = positive[:, None] > negative[None, :]
    same = positive[:, None] == negative[None, :]
    return float(above.mean() + same.mean() / 2)


def _z(m_positive: float, m_negative: float, s_positive: float, s_negative: float) -> float | None:
    distance = abs(m_positive - m_negative)
    return float(1 - 3 * (s_positive + s_negative) / distance) if distance > 0 else None
