"""Efficacy: scores along an axis in units of the controls, -1 at the mean negative and +1 at the mean positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Float = NDArray[np.float64]
Index = NDArray[np.intp]

_CHUNK = 32_768  # rows that are held as float64 at a time


@dataclass(frozen=True)
class Anchors:
    """Mean scores of the negative and the positive control wells. Take them from out-of-fold scores: those that the
    training wells get from their own axis lie further apart than those of any other well."""

    negative: float
    positive: float

    @property
    def separated(self) -> bool:
        """Whether held-out positive controls lie above held-out negative ones at all. If not, there is no efficacy."""
        return self.positive > self.negative

    def efficacy(self, on: Float) -> Float:
        """-1 + 2 (on - μ₋) / (μ₊ - μ₋); NaN where the controls are not separated, rather than a made-up number."""
        if not self.separated:
            return np.full_like(on, np.nan)
        return -1 + 2 * (on - self.negative) / (self.positive - self.negative)


def control_anchors(on: Float, labels: Index) -> Anchors:
    """Anchors of well scores [W] with labels [W] (+1, -1, 0); wells without a score are left out."""
    negative, positive = (float(np.nanmean(on[labels == side])) for side in (-1, 1))
    return Anchors(negative, positive)


def group_means(values: NDArray[np.floating], group: Index, count: int) -> Float:
    """Means [G, K] over the rows of each group (a well, a site) of `values` [N, K]; `group` [N] < G = `count`.
    NaN for a group without rows. Summed in float64, whatever the dtype."""
    sums = np.zeros((count, values.shape[1]))
    for start in range(0, len(values), _CHUNK):
        rows, index = values[start : start + _CHUNK], group[start : start + _CHUNK]
        ones = np.ones(len(rows))
        sums += sparse.csr_array((ones, (index, np.arange(len(rows)))), shape=(count, len(rows))) @ rows
    n = np.bincount(group, minlength=count)[:, None]
    return np.divide(sums, n, out=np.full_like(sums, np.nan), where=n > 0)


def projections(vectors: NDArray[np.floating], weights: Float, biases: Float) -> Float:
    """Scores [N, K] of `vectors` [N, F] on K linear functionals, `weights` [K, F] and `biases` [K], in float64."""
    out = np.empty((len(vectors), len(weights)))
    for start in range(0, len(vectors), _CHUNK):
        rows = vectors[start : start + _CHUNK].astype(np.float64)
        out[start : start + _CHUNK] = rows @ weights.T + biases
    return out
