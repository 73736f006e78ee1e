"""Whitening: a change of coordinates after which the spread that should not count is equal in every direction.

A whitening is fitted on the tiles of training control wells only. `WHITENINGS` names the choices, and
docs/axes-and-quality.md compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.linalg import solve_triangular

from gandl_science.arrays import Float, Index, Vectors, group_means
from gandl_science.threads import map_parts, row_blocks, row_parts

_CHUNK = 2048  # rows that are converted to float64 at a time
_MAX_RELATIVE_VARIANCE = 1e4
"""A feature whose variance within the classes is so many times the median one is in another unit than the others."""
_MIN_RELATIVE_EIGENVALUE = 1e-10
"""Eigenvalues of a covariance below this share of the largest are raised to it before they are divided by."""

_MIN_RELATIVE_PIVOT = 1e-4


@dataclass(frozen=True, kw_only=True)
class Whitening:
    """The map x → (x - centre) @ matrix. `centre` is [F]; `matrix` [F, F] is invertible.

    It is symmetric unless features of outsized variance were scaled down first, or the whitened space is rotated.
    """

    centre: Float
    matrix: Float

    def __call__(self, vectors: Vectors) -> Float:
        """Return whitened vectors [N, F] in float64."""
        whitened = np.empty(vectors.shape)

        def fill(part: slice) -> None:
            for rows in row_blocks(part, _CHUNK):
                np.matmul(vectors[rows] - self.centre, self.matrix, out=whitened[rows])

        map_parts(fill, row_parts(len(vectors), _CHUNK))
        return whitened


WhiteningFit = Callable[[Vectors, Index], Whitening]
"""A function that fits a whitening on vectors [N, F] and their classes [N] (+1, -1)."""


def within_class(vectors: Vectors, classes: Index) -> Whitening:
    """Whiten by the pooled within-class covariance, shrunk as Ledoit and Wolf (2004) propose.

    Distances are then in units of the spread within the classes, so that Fisher's discriminant (1936) is simply the
    difference of the class means.
    """
    sides, side = np.unique(classes, return_inverse=True)
    means = group_means(vectors, side, len(sides))
    # Rows are centred part by part, as a float64 copy of all tiles may not fit into memory.
    centre: Float = np.bincount(side) @ means / len(side)
    return _whitening(centre, lambda: (vectors[rows] - means[side[rows]] for rows in _chunks(len(vectors))))


def on_negatives(vectors: Vectors, classes: Index) -> Whitening:
    """Whiten by the covariance of the negative controls alone: sphering, the first step of TVN (Ando et al. 2017)."""
    negative = vectors[classes < 0]
    centre: Float = negative.mean(axis=0, dtype=np.float64)
    return _whitening(centre, lambda: (negative[rows] - centre for rows in _chunks(len(negative))))


def standardised(vectors: Vectors, classes: Index) -> Whitening:
    """Scale each feature to zero mean and unit standard deviation without a rotation. Constant features become zero."""
    x = vectors.astype(np.float64)
    spread = x.std(axis=0)
    return Whitening(centre=x.mean(axis=0), matrix=np.diag(1 / np.where(spread > 0, spread, 1)))


def raw(vectors: Vectors, classes: Index) -> Whitening:
    """Leave vectors as they are, as the paper does."""
    features = vectors.shape[1]
    return Whitening(centre=np.zeros(features), matrix=np.eye(features))


WHITENINGS: Mapping[str, WhiteningFit] = MappingProxyType(
    {"within_class": within_class, "negative_controls": on_negatives, "none": standardised, "raw": raw}
)


def ledoit_wolf(residuals: Float | Iterable[Float]) -> Float:
    """Return the covariance [F, F] of centred rows [N, F], shrunk towards a multiple of the identity.

    The rows may come as an iterable of parts. The weight minimises the expected squared error (Ledoit and Wolf 2004,
    "A well-conditioned estimator for large-dimensional covariance matrices"). The result equals that of scikit-learn,
    which takes three times as long and needs all rows at once.
    """
    n, sample, fourth = 0, np.zeros(()), 0.0
    for part in [residuals] if isinstance(residuals, np.ndarray) else residuals:
        n += len(part)
        sample = sample + part.T @ part
        # The squared entries of X²'X² sum to the fourth powers of the rows' lengths: no second matrix product.
        fourth += float((np.einsum("ij,ij->i", part, part) ** 2).sum())
    return shrunk_covariance(sample / n, fourth, n)


def shrunk_covariance(sample: Float, fourth: float, n: int) -> Float:
    """Return the covariance [F, F] of n centred rows, shrunk as `ledoit_wolf` says.

    `sample` [F, F] is the mean of their products, and `fourth` the sum of the fourth powers of their lengths.
    """
    fourth, features = fourth / n, len(sample)
    mean = float(np.trace(sample)) / features
    squares = float((sample**2).sum())
    # Shrinkage is the variance of the estimate over its distance from the target, cut at 1.
    distance = squares - features * mean**2
    shrinkage = min((fourth - squares) / n, distance) / distance if distance > 0 else 0.0
    shrunk: Float = (1 - shrinkage) * sample
    shrunk.flat[:: features + 1] += shrinkage * mean
    return shrunk


def _chunks(rows: int) -> Iterator[slice]:
    return row_blocks(slice(0, rows), _CHUNK)


def _whitening(centre: Float, residuals: Callable[[], Iterable[Float]]) -> Whitening:
    """Whiten by the covariance of residuals, which come as parts and may be read twice."""
    scales = _down_scales(residuals())
    if scales is not None:
        scaled = _whitening_of(centre, (part * scales for part in residuals()))
        return Whitening(centre=centre, matrix=scales[:, None] * scaled.matrix)
    return _whitening_of(centre, residuals())


def _down_scales(residuals: Iterable[Float]) -> Float | None:
    """Return factors [F] that give features of outsized variance the median variance; None where there are none.

    The shrinkage of Ledoit and Wolf is towards the mean variance. A feature with a million times the variance of the
    others would set it alone, and the others would hardly be whitened.
    """
    squares = np.sum([np.einsum("ij,ij->j", part, part) for part in residuals], axis=0)
    varying = squares[squares > 0]
    usual = float(np.median(varying)) if len(varying) else 0.0
    if not has_outsized_variance(squares):
        return None
    outsized = squares > _MAX_RELATIVE_VARIANCE * usual
    factors: Float = np.sqrt(np.where(outsized, usual / np.maximum(squares, usual), 1))
    return factors


def has_outsized_variance(squares: Float) -> bool:
    """Return whether one of the sums of squares [F] of features is in another unit than the others."""
    varying = squares[squares > 0]
    return bool(len(varying)) and bool(varying.max() > _MAX_RELATIVE_VARIANCE * np.median(varying))


def _whitening_of(centre: Float, residuals: Iterable[Float]) -> Whitening:
    return whitening_of_covariance(centre, ledoit_wolf(residuals))


def whitening_of_covariance(centre: Float, covariance: Float) -> Whitening:
    """Return the whitening by a covariance [F, F] of vectors about their centre [F]."""
    values, axes = np.linalg.eigh(covariance)
    # Without any spread (all features constant) there is nothing to scale: vectors stay as they are.
    if values[-1] <= 0:
        return Whitening(centre=centre, matrix=np.eye(len(centre)))
    # A constant feature has no variance to divide by; the floor keeps it finite instead of blowing it up.
    scales = np.sqrt(np.maximum(values, values[-1] * _MIN_RELATIVE_EIGENVALUE))
    return Whitening(centre=centre, matrix=(axes / scales) @ axes.T)


def rotated_whitening(centre: Float, covariance: Float) -> Whitening:
    """Return `whitening_of_covariance` in a rotated space, in a quarter of its time (by Cholesky).

    An SVM, distances and angles are the same in both. Where the covariance is nearly singular, nothing is rotated.
    """
    try:
        lower = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return whitening_of_covariance(centre, covariance)
    pivots = np.diag(lower)
    if pivots.min() < _MIN_RELATIVE_PIVOT * pivots.max():
        return whitening_of_covariance(centre, covariance)
    inverse: Float = solve_triangular(lower, np.eye(len(centre)), lower=True)
    return Whitening(centre=centre, matrix=np.ascontiguousarray(inverse.T))
