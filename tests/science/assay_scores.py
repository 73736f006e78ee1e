"""Scores with an exact mean and standard deviation."""

from __future__ import annotations

import numpy as np
from gandl_science.arrays import Float


def with_moments(mean: float, sd: float, n: int = 20) -> Float:
    """Return `n` normal values, shifted and scaled to this mean and standard deviation (with n - 1)."""
    x = np.random.default_rng(int(abs(mean) * 7 + n)).normal(size=n)
    return np.asarray(mean + sd * (x - x.mean()) / x.std(ddof=1), np.float64)
