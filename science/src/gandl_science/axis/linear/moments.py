"""Whitenings of many training sets that differ by one fold each, from one pass over the tiles.

What a whitening within classes needs of its tiles are sums: of each fold and class, the number of tiles, their sum and
their products. The sums of a training set are those of all folds but one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gandl_science.arrays import Float, Index, Vectors
from gandl_science.axis.linear.whitening import (
    Whitening,
    has_outsized_variance,
    rotated_whitening,
    shrunk_covariance,
    whitening_of_covariance,
)
from gandl_science.threads import map_parts, row_blocks, row_parts

_CHUNK = 1024  # rows that are converted to float64 at a time


@dataclass(frozen=True, kw_only=True)
class FoldWhitenings:
    """The whitening `without` each of K folds, in a rotated space; centre [F] and covariance [F, F] of all tiles."""

    without: tuple[Whitening, ...]
    centre: Float
    covariance: Float

    @cached_property
    def whole(self) -> Whitening:
        """The whitening by the tiles of all folds, which not every user of the others needs."""
        return whitening_of_covariance(self.centre, self.covariance)


def fold_whitenings(vectors: Vectors, classes: Index, fold: Index, count: int) -> FoldWhitenings | None:
    """Return `within_class` of the tiles [N, F] outside each of the folds and of all, given the fold [N] of each tile.

    Returns None where a feature has an outsized variance, which needs a pass of its own.
    """
    # Relative to one origin, as products of large numbers would lose the digits that differ.
    origin = np.asarray(vectors.mean(axis=0, dtype=np.float64))
    sides = (classes > 0).astype(np.intp)
    sizes = np.bincount(2 * fold + sides, minlength=2 * count).reshape(count, 2)
    moments = map_parts(lambda k: _moments(vectors, origin, sides, np.flatnonzero(fold == k)), range(count))
    sums, products = np.stack([own for own, _ in moments]), [own for _, own in moments]
    # Added up without the fold, and not subtracted from the total: a held-out tile must not be seen by rounding either.
    parts = [[j for j in range(count) if j != k] for k in range(count)] + [list(range(count))]
    sizes_of, sums_of = (np.stack([each[own].sum(axis=0) for own in parts]) for each in (sizes, sums))
    means = sums_of / np.maximum(sizes_of, 1)[:, :, None]
    fourths = _fourth_powers(vectors, origin, sides, fold, means)

    def covariance_of(k: int) -> Float | None:
        scatter = products[parts[k][0]].copy()
        for j in parts[k][1:]:
            scatter += products[j]
        for side in (0, 1):
            scatter -= sizes_of[k, side] * np.outer(means[k, side], means[k, side])
        if has_outsized_variance(np.diag(scatter)):
            return None
        n = int(sizes_of[k].sum())
        return shrunk_covariance(scatter / n, float(fourths[k]), n)

    def whitening_of(k: int) -> Whitening | None:
        covariance = covariance_of(k)
        return None if covariance is None else rotated_whitening(centres[k], covariance)

    centres = origin + (sizes_of[:, None] @ means)[:, 0] / sizes_of.sum(axis=1)[:, None]
    without = [each for each in map_parts(whitening_of, range(count)) if each is not None]
    whole = covariance_of(count)
    if len(without) < count or whole is None:
        return None
    return FoldWhitenings(without=tuple(without), centre=centres[count], covariance=whole)


def _moments(vectors: Vectors, origin: Float, sides: Index, rows: Index) -> tuple[Float, Float]:
    """Return the sums [2, F] of these rows by class, and the sum of their products [F, F]."""
    features = vectors.shape[1]
    sums, products = np.zeros((2, features)), np.zeros((features, features))
    for block in _index_blocks(rows):
        part = vectors[block] - origin
        for side in (0, 1):
            sums[side] += part[sides[block] == side].sum(axis=0)
        products += part.T @ part
    return sums, products


def _index_blocks(rows: Index) -> Iterator[Index]:
    return (rows[block] for block in row_blocks(slice(0, len(rows)), _CHUNK))


def _fourth_powers(vectors: Vectors, origin: Float, sides: Index, fold: Index, means: Float) -> Float:
    """Return the sums [K + 1] of the fourth power of the distance of tiles from the mean of their class.

    Of the means [K + 1, 2, F], those at k are of the tiles outside fold k, and the last ones of all tiles.
    """
    squares = (means**2).sum(axis=2)

    def fourths_of(part: slice) -> Float:
        total = np.zeros(len(means))
        for rows in row_blocks(part, _CHUNK):
            block = vectors[rows] - origin
            lengths = np.einsum("ij,ij->i", block, block)[:, None]
            side = sides[rows]
            # The squared distance from a mean is |x|² - 2 x · m + |m|², for the means of the tile's class.
            along = np.where(side[:, None] == 1, block @ means[:, 1].T, block @ means[:, 0].T)
            distances = lengths - 2 * along + squares[:, side].T
            total += ((distances**2) * (fold[rows, None] != np.arange(len(means)))).sum(axis=0)
        return total

    return np.asarray(np.add.reduce(map_parts(fourths_of, row_parts(len(vectors), _CHUNK))))
