"""A robust standard deviation."""

from __future__ import annotations

import numpy as np

from gandl_science.arrays import Float

MAD_TO_SD = 1.4826
"""The factor that makes the median absolute deviation an estimate of a normal standard deviation (Hampel 1974)."""


def robust_sd(values: Float) -> float:
    """Return 1.4826 times the median absolute deviation of `values` [K]."""
    # Without scipy.stats, which takes half a second to load and would slow the start of every command.
    return MAD_TO_SD * float(np.median(np.abs(values - np.median(values))))
