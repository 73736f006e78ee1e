"""A robust standard deviation."""

from __future__ import annotations

from scipy.stats import median_abs_deviation

from gandl_science.arrays import Float

MAD_TO_SD = 1.4826
"""The factor that makes the median absolute deviation an estimate of a normal standard deviation (Hampel 1974)."""


def robust_sd(values: Float) -> float:
    """Return 1.4826 times the median absolute deviation of `values` [K]."""
    # scale="normal" of scipy has more digits (1.482602…), which would change stored results.
    return MAD_TO_SD * float(median_abs_deviation(values))
