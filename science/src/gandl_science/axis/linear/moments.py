"""Whitenings of many training sets that differ by one fold each, from one pass over the tiles.

What a whitening within classes needs of its tiles are sums: of each fold and class, the number of tiles, their sum and
their products. The sums of a training set are those of all folds but one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gandl_science.arrays import Float, Index, Vectors
from gandl_science.axis.linear.whitening import (
    Whitening,
    has_outsized_variance,
    shrunk_covariance,
    whitening_of_covariance,
)

_CHUNK = 4096  # rows that are converted to float64 at a time


def whitenings_without_folds(vectors: Vectors, classes: Index, fold: Index, count: int) -> list[Whitening] | None:
    """Return `within_class` of the tiles [N, F] outside each of the folds, given the fold [N] of each tile.

    Returns None where a feature has an outsized variance, which needs a pass of its own.
    """
    # Relative to one origin, as products of large numbers would lose the digits that differ.
    origin = np.asarray(vectors.mean(axis=0, dtype=np.float64))
    sides = (classes > 0).astype(np.intp)
    groups = 2 * fold + sides
    sizes = np.bincount(groups, minlength=2 * count).reshape(count, 2)
    sums, products = _sums(vectors, origin, groups, count)
    # Added up without the fold, and not subtracted from the total: a held-out tile must not be seen by rounding either.
    others = [[j for j in range(count) if j != k] for k in range(count)]
    sizes_of, sums_of = (np.stack([each[own].sum(axis=0) for own in others]) for each in (sizes, sums))
    means = sums_of / np.maximum(sizes_of, 1)[:, :, None]
    fourths = _fourth_powers(vectors, origin, sides, fold, means)
    whitenings = []
    for k, own in enumerate(others):
        scatter = np.add.reduce([products[j] for j in own])
        for side in (0, 1):
            scatter -= sizes_of[k, side] * np.outer(means[k, side], means[k, side])
        if has_outsized_variance(np.diag(scatter)):
            return None
        n = int(sizes_of[k].sum())
        covariance = shrunk_covariance(scatter / n, float(fourths[k]), n)
        centre = origin + sizes_of[k] @ means[k] / n
        whitenings.append(whitening_of_covariance(centre, covariance))
    return whitenings


def _blocks(vectors: Vectors, origin: Float) -> Iterator[tuple[slice, Float]]:
    for start in range(0, len(vectors), _CHUNK):
        rows = slice(start, start + _CHUNK)
        yield rows, vectors[rows] - origin


def _sums(vectors: Vectors, origin: Float, groups: Index, count: int) -> tuple[Float, Float]:
    """Return the sums [K, 2, F] of each fold and class, and the sums of products [K, F, F] of each fold."""
    features = vectors.shape[1]
    sums, products = np.zeros((2 * count, features)), np.zeros((count, features, features))
    for rows, block in _blocks(vectors, origin):
        own = groups[rows]
        for group in np.unique(own).tolist():
            part = block[own == group]
            sums[group] += part.sum(axis=0)
            products[group // 2] += part.T @ part
    return sums.reshape(count, 2, features), products


def _fourth_powers(vectors: Vectors, origin: Float, sides: Index, fold: Index, means: Float) -> Float:
    """Return the sums [K] over tiles outside each fold of the fourth power of their distance from the class mean."""
    count = len(means)
    squares = (means**2).sum(axis=2)
    fourths = np.zeros(count)
    for rows, block in _blocks(vectors, origin):
        lengths = np.einsum("ij,ij->i", block, block)[:, None]
        side = sides[rows]
        # The squared distance from a mean is |x|² - 2 x · m + |m|², for the means of the tile's class in every fold.
        along = np.where(side[:, None] == 1, block @ means[:, 1].T, block @ means[:, 0].T)
        distances = lengths - 2 * along + squares[:, side].T
        fourths += ((distances**2) * (fold[rows, None] != np.arange(count))).sum(axis=0)
    return fourths
