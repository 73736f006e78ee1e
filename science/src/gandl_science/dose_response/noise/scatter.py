"""Do the wells of the dose that carries the effect scatter as those of the other doses?

The activity test takes one variance for all wells. If the wells of one dose scatter more, as they do where cells begin
to die, their mean is far from the others by chance alone: with the highest dose five times noisier, a quarter to a half
of inert compounds has p < 0.05 (`variances` has a test that allows for that). The curve and its intervals do not allow
for it, so a flag says it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc

from gandl_science.arrays import Float, Mask

_ALPHA = 0.05


def has_unequal_scatter(wells: Float, weights: Float, counts: Float) -> Mask:
    """Return for which compounds (B,) the dose farthest from all others scatters significantly more than they do.

    wells and weights are (B, D, R), `counts` (B, D) the wells per dose. An F-test at the level 0.05 compares the
    variance within that dose with that within the others; a dose of one well has none.
    """
    total = np.maximum(weights.sum(axis=2), 1e-300)
    mean = (weights * wells).sum(axis=2) / total
    within = (weights * (wells - mean[:, :, None]) ** 2).sum(axis=2)
    df = np.maximum(counts - 1, 0)
    farthest = _farthest(mean, total)
    rows = np.arange(len(mean))
    own, own_df = within[rows, farthest], df[rows, farthest]
    rest, rest_df = within.sum(axis=1) - own, df.sum(axis=1) - own_df
    testable = (own_df > 0) & (rest_df > 0) & (rest > 0)
    ratio = np.where(testable, own / np.maximum(own_df, 1) * rest_df / np.where(rest > 0, rest, 1.0), 0.0)
    p = fdtrc(np.maximum(own_df, 1), np.maximum(rest_df, 1), ratio)
    return np.asarray(testable & (p < _ALPHA))


def _farthest(mean: Float, weight: Float) -> Float:
    """Return the index (B,) of the dose whose mean is farthest from the mean of all other doses."""
    total, sum_of_all = weight.sum(axis=1, keepdims=True), (weight * mean).sum(axis=1, keepdims=True)
    others = (sum_of_all - weight * mean) / np.maximum(total - weight, 1e-300)
    return np.asarray(np.abs(mean - others).argmax(axis=1))
