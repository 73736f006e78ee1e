"""The activity test without the assumption that all doses scatter equally.

The activity test has one variance for all wells. If the highest dose scatters five times more than the others, as doses
do where cells begin to die, a quarter to a half of inert compounds has p < 0.05. Here a group of doses (one dose, or
the highest two, three, ...) has a variance of its own. Three tests of it hold then: an effect of dose within the other
doses, one within the group, and the difference between the two, by the t-test of Welch (1947). The smallest p, times
their number (Bonferroni), is the p-value of an effect in spite of that group.

Where the scatter of a group differs from that of the others, this p-value overrules that of the activity test if it is
larger. Two or three wells cannot show that they scatter equally, so the largest p-value of all groups is reported
too: if it is above the level, the effect rests on the assumption.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fdtrc, stdtr

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.models import VEHICLE, SearchSpace
from gandl_science.dose_response.significance.activity import activity_batches
from gandl_science.dose_response.significance.f_tests import anova_p
from gandl_science.dose_response.significance.shares import best_shares, hill_grids
from gandl_science.dose_response.significance.tube import tube_coefficients, tube_tail
from gandl_science.dose_response.solver.means import DoseMeans

_EVIDENCE, _EVIDENCE_OF_PAIRS = 0.1, 0.2
"""The p-value of the F-test of two variances below which a group has its own. It is generous, because a dose of three
wells that scatters five times more has p < 0.05 in only 85 % of compounds, and one of two wells in only half."""
_MIN_HILL_DOSES, _MIN_HILL_WELLS = 4, 5
_MARGIN = 1.0
"""The decades beyond the doses of a part within which its curves change."""
_COARSE_SURFACE = (41, 13)
"""The points at which the surface of Hill curves is measured: p-values differ by less than a tenth from those of the
finer surface of the activity test, and are computed fifty times as fast."""


@dataclass(frozen=True, kw_only=True)
class VarianceCheck:
    """The p-values (B,) of an effect in spite of unequal scatter.

    `evident` is the largest one of the groups of doses whose scatter differs from that of the others, 0 without such a
    group; `cautious` is the largest one of all groups.
    """

    evident: Float
    cautious: Float


@dataclass(frozen=True, kw_only=True)
class DoseScatter:
    """B compounds that share their weights: `data` are their dose means, `within` (B, D) the sums of squares of the
    wells about them, `df` (D,) their degrees of freedom.

    `raw` (B, D) and `raw_df` (D,) are the same with all wells at full weight: in a dose that scatters more, single
    wells may have been taken for outliers.
    """

    data: DoseMeans
    within: Float
    df: Float
    raw: Float
    raw_df: Float

    def part(self, doses: Index) -> DoseScatter:
        """Return these doses only."""
        data, within = self.data, self.within[:, doses]
        means = DoseMeans(data.x[..., doses], data.weight[:, doses], data.mean[:, doses], within.sum(axis=1))
        return DoseScatter(
            data=means, within=within, df=self.df[doses], raw=self.raw[:, doses], raw_df=self.raw_df[doses]
        )


def check_variances(scatter: DoseScatter, space: SearchSpace, alpha: float) -> VarianceCheck:
    """Return the p-values of compounds in spite of unequal scatter; those up to `alpha` may be rounded up to it.

    A group without replicates has no scatter to compare. It is checked if it is the lowest or the highest dose.
    """
    evident, cautious = np.zeros(len(scatter.within)), np.zeros(len(scatter.within))
    for group in _groups(scatter.raw_df):
        own, rest = scatter.part(group), scatter.part(np.setdiff1d(np.arange(scatter.df.size), group))
        unequal = _has_own_variance(own, rest)
        p = _group_p(own, rest, space, np.where(unequal, 0.0, alpha))
        evident = np.where(unequal, np.maximum(evident, p), evident)
        cautious = np.maximum(cautious, p)
    return VarianceCheck(evident=evident, cautious=cautious)


def _groups(df: Float) -> Iterator[Index]:
    """Yield the doses of each group: every dose, and the highest two, three, ... but for the lowest."""
    last = df.size - 1
    for dose in range(df.size):
        if df[dose] > 0 or dose in (0, last):
            yield np.array([dose])
    for first in range(2, last):
        if df[first:].sum() > 0 and df[:first].sum() > 0:
            yield np.arange(first, df.size)


def _has_own_variance(own: DoseScatter, rest: DoseScatter) -> Mask:
    """Return for which compounds (B,) the group scatters more than the rest; a group of several doses also if less."""
    df, rest_df = own.raw_df.sum(), rest.raw_df.sum()
    if df == 0 or rest_df == 0:
        return np.zeros(len(own.within), dtype=bool)
    squares, rest_squares = own.raw.sum(axis=1), rest.raw.sum(axis=1)
    p = fdtrc(df, rest_df, squares / df * rest_df / np.maximum(rest_squares, 1e-300))
    if own.raw_df.size > 1:
        # A few low doses that scatter more are a group of high doses that scatter less.
        p = 2 * np.minimum(p, 1 - p)
    return np.asarray((p <= (_EVIDENCE if df > 1 else _EVIDENCE_OF_PAIRS)) & (squares + rest_squares > 0))


def _group_p(own: DoseScatter, rest: DoseScatter, space: SearchSpace, enough: Float) -> Float:
    """Return the p-values (B,) of the tests that hold if the group has its own variance.

    The slow test of a Hill curve is left out for compounds whose p-value is at most `enough` (B,) without it.
    """
    fast, hill_parts = [], []
    for part in (own, rest):
        p = anova_p(part.data)
        # It is NaN for one dose, and where plates or outliers took the degrees of freedom of the part.
        if np.isfinite(p).all():
            fast.append(p)
        if part.df.size >= _MIN_HILL_DOSES and float(part.data.total_weight[0]) >= _MIN_HILL_WELLS:
            hill_parts.append(part)
    if own.df.sum() > 0.5 and rest.df.sum() > 0.5:
        fast.append(_welch_p(own, rest))
    n_tests = len(fast) + len(hill_parts)
    smallest = np.minimum.reduce([np.ones(len(own.within)), *fast])
    undecided = np.flatnonzero(n_tests * smallest > enough)
    if undecided.size:
        for part in hill_parts:
            hill_p = _hill_p(part.data.take(undecided), space.take(undecided))
            smallest[undecided] = np.minimum(smallest[undecided], hill_p)
    return np.asarray(np.minimum(1.0, n_tests * smallest))


def _hill_p(data: DoseMeans, space: SearchSpace) -> Float:
    """Return the p-value (B,) of the best Hill curve by the tube formula, which is an upper bound where p is large."""
    counts, x = data.weight[0], np.broadcast_to(data.x, data.mean.shape)
    lowest, highest = np.where(x > VEHICLE, x, np.inf).min(axis=1), x.max(axis=1)
    # Curves that change far beyond these doses are flat within them but for rounding.
    near = replace(space, low=np.maximum(space.low, lowest - _MARGIN), high=np.minimum(space.high, highest + _MARGIN))
    p = np.empty(len(x))
    for batch in activity_batches(x, near, len(x)):
        share = best_shares(data.take(batch.curves), hill_grids(batch.x, batch.space))
        coefficients = tube_coefficients(batch.x, counts, batch.space, _COARSE_SURFACE)
        own = np.repeat(coefficients, batch.members.shape[1], axis=0)
        p[batch.curves] = np.clip(tube_tail(share, float(counts.sum()), own), 0.0, 1.0)
    return p


def _welch_p(own: DoseScatter, rest: DoseScatter) -> Float:
    """Return the p-value (B,) of the difference of two means with variances of their own (Welch 1947)."""
    errors = [part.data.pure / part.df.sum() / part.data.total_weight for part in (own, rest)]
    total = np.maximum(errors[0] + errors[1], 1e-300)
    shares = [error / total for error in errors]
    df = 1.0 / np.maximum(sum(share**2 / part.df.sum() for share, part in zip(shares, (own, rest), strict=True)), 1e-12)
    return np.asarray(2 * stdtr(df, -np.abs(own.data.grand_mean - rest.data.grand_mean) / np.sqrt(total)))
