"""The array types of the package, and the two operations on tiles that every axis needs: means and projections.

Shapes are written in brackets throughout: N tiles, W wells, F features of a vector, K anything else.
"""

from __future__ import annotations

import numpy as np
import scipy  # its parts load at their first use
from numpy.typing import NDArray

from gandl_science.threads import map_parts, row_blocks, row_parts

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
Vectors = NDArray[np.floating]
"""Vectors of a featurizer, one row per tile; float32 in practice, and any float type is accepted."""

_MAX_WHOLE = 32_768  # rows that are summed at once; more are taken in chunks
_CHUNK = 2048  # rows that are converted to float64 at a time; fresh memory for more would cost more than the sums


def group_means(values: Vectors, group: Index, count: int) -> Float:
    """Return the means [G, K] of the rows of `values` [N, K] in each group, such as a well or a site.

    `group` [N] holds numbers below `count` = G. A group without rows has NaN. Sums are taken in float64.
    """
    sums = np.zeros((count, values.shape[1]))
    # Where a group lies in two chunks, its sum has other bits than in one.
    size = len(values) if len(values) <= _MAX_WHOLE else _CHUNK
    for chunk in row_blocks(slice(0, len(values)), max(size, 1)):
        rows = values[chunk]
        # The rows of a group mostly follow each other, so that a chunk has few groups: sums of all would be large.
        groups, index = np.unique(group[chunk], return_inverse=True)
        shape = (len(groups), len(rows))
        # A sparse indicator matrix sums many columns at once, which numpy.add.at does not.
        sums[groups] += scipy.sparse.csr_array((np.ones(len(rows)), (index, np.arange(len(rows)))), shape=shape) @ rows
    n = np.bincount(group, minlength=count)
    sums[n == 0] = np.nan
    sums /= np.maximum(n, 1)[:, None]
    return sums


def projections(vectors: Vectors, weights: Float, biases: Float) -> Float:
    """Return the scores [N, K] of `vectors` [N, F] on K linear functionals, `weights` [K, F] and `biases` [K].

    Products are taken in float64, a chunk of rows at a time, so that a large screen is never copied as a whole.
    """
    out = np.empty((len(vectors), len(weights)))

    def fill(part: slice) -> None:
        for rows in row_blocks(part, _CHUNK):
            out[rows] = vectors[rows].astype(np.float64, copy=False) @ weights.T + biases

    map_parts(fill, row_parts(len(vectors), _CHUNK))
    return out
