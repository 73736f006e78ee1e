"""Values over time: limits of a control chart, and what two potencies of one compound must differ by to differ.

The chart is that of single values (Levey and Jennings 1950). The minimum significant ratio is that of Eastwood et al.,
J. Biomol. Screen. 11:253 (2006), and of the chapter on it in the Assay Guidance Manual (Haas et al., NCATS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import studentized_range, t

from gandl_science.arrays import Float

MIN_VALUES = 8
"""The fewest values from which limits are computed: with less, a limit says more about chance than about the assay."""
MIN_PAIRS = 6
"""The fewest compounds of a test-retest, and the fewest repeats of one compound, for a minimum significant ratio."""
_RANGE_TO_DEVIATION = 1.128
"""The mean absolute difference of two normal values in standard deviations, the constant d₂ of n = 2."""


@dataclass(frozen=True, kw_only=True)
class ControlLimits:
    """The centre of a chart and its standard deviation. Values beyond two of them warn, beyond three they are out."""

    centre: float
    sd: float
    n: int

    def limits(self, deviations: float) -> tuple[float, float]:
        """Return the lower and the upper limit at so many standard deviations."""
        return self.centre - deviations * self.sd, self.centre + deviations * self.sd

    def deviations(self, value: float) -> float:
        """Return how many standard deviations a value is from the centre; 0 where the values do not vary."""
        return (value - self.centre) / self.sd if self.sd > 0 else 0.0


def individuals_limits(values: Sequence[float]) -> ControlLimits | None:
    """Return the limits of a chart of single values [N] in the order of time, or None for fewer than MIN_VALUES.

    The centre is the mean, and the standard deviation is the mean moving range of neighbours divided by 1.128
    (NIST/SEMATECH e-Handbook, 6.3.2.2): a slow drift or a shift widens it less than the spread of all values.
    """
    if len(values) < MIN_VALUES:
        return None
    x: Float = np.asarray(values, np.float64)
    sd = float(np.abs(np.diff(x)).mean()) / _RANGE_TO_DEVIATION
    return ControlLimits(centre=float(x.mean()), sd=sd, n=len(x))


@dataclass(frozen=True, kw_only=True)
class SignificantRatio:
    """The factor by which two EC50s of one compound must differ to differ at the level of 5 %.

    `mean_ratio` is the geometric mean of second over first in a test-retest, and None for repeats of one compound.
    """

    ratio: float
    sd_log10: float
    freedom: int
    mean_ratio: float | None = None


def retest_ratio(first: Sequence[float], second: Sequence[float]) -> SignificantRatio | None:
    """Return the minimum significant ratio of compounds [N] whose EC50 was measured twice, None for few of them.

    Few are fewer than MIN_PAIRS.

    It is 10^(2 s_d), s_d the standard deviation of the differences of log10 EC50 (Eastwood et al. 2006, equation 4).
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} first and {len(second)} second EC50s; give one of each per compound")
    if len(first) < MIN_PAIRS:
        return None
    difference = np.log10(np.asarray(second, np.float64)) - np.log10(np.asarray(first, np.float64))
    sd = float(difference.std(ddof=1))
    mean = float(10 ** difference.mean())
    return SignificantRatio(ratio=10 ** (2 * sd), sd_log10=sd, freedom=len(first) - 1, mean_ratio=mean)


def repeats_ratio(repeats: Sequence[Sequence[float]]) -> SignificantRatio | None:
    """Return the minimum significant ratio from compounds that were measured several times each, in any number.

    It is 10^(t √2 s), s the pooled standard deviation of log10 EC50 within compounds and t Student's 97.5 % point
    at its degrees of freedom; with many of them t √2 is the 2 √2 of the Assay Guidance Manual. None where
    the degrees of freedom are fewer than MIN_PAIRS - 1.
    """
    logs = [np.log10(np.asarray(values, np.float64)) for values in repeats if len(values) > 1]
    freedom = sum(len(x) - 1 for x in logs)
    if freedom < MIN_PAIRS - 1:
        return None
    sd = float(np.sqrt(sum(float(((x - x.mean()) ** 2).sum()) for x in logs) / freedom))
    return SignificantRatio(ratio=float(10 ** (t.ppf(0.975, freedom) * np.sqrt(2) * sd)), sd_log10=sd, freedom=freedom)


@lru_cache(maxsize=1000)
def significant_range(ratio: SignificantRatio, n: int) -> float:
    """Return the factor by which the largest of n EC50s of one compound must exceed the smallest to differ at 5 %.

    It is 10^(q s) of `repeats_ratio`, q the 95 % point of the studentized range of n values (Tukey 1949). For two
    values it is the minimum significant ratio; the extremes of more values are farther apart by chance.
    """
    return float(10 ** (studentized_range.ppf(0.95, n, ratio.freedom) * ratio.sd_log10))
