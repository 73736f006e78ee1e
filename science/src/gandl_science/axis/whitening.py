"""Whitening: the coordinates in which the spread that should not count is the same in every direction.

Fitted on tiles of training control wells only; `WHITENINGS` names the choices. Which is best is a matter of evidence:
docs/axes-and-quality.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gandl_science.arrays import group_means

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Vectors = NDArray[np.floating]

_CHUNK = 8192  # rows that are held as float64 at a time
_FLOOR = 1e-10
"""Smallest eigenvalue of a covariance that is divided by, relative to the largest."""


@dataclass(frozen=True)
class Whitening:
    """x → (x - centre) @ matrix. `centre` [F]; `matrix` [F, F] is symmetric and invertible."""

    centre: Float
    matrix: Float

    def __call__(self, vectors: Vectors) -> Float:
        """Whitened vectors [N, F], float64."""
        out = np.empty(vectors.shape)
        for rows in _chunks(len(vectors)):
            out[rows] = (vectors[rows] - self.centre) @ self.matrix
        return out


Fit = Callable[[Vectors, Index], Whitening]
"""Vectors [N, F] and their classes [N] (+1, -1) to a whitening."""


def within_class(vectors: Vectors, classes: Index) -> Whitening:
    """By the pooled within-class covariance, shrunk after Ledoit and Wolf (2004): what is left is what tells the
    classes apart, in units of the spread inside them (Fisher's discriminant is the difference of means here)."""
    sides, side = np.unique(classes, return_inverse=True)
    means = group_means(vectors, side, len(sides))
    centre: Float = np.bincount(side) @ means / len(side)
    return _whitening(centre, (vectors[rows] - means[side[rows]] for rows in _chunks(len(vectors))))


def on_negatives(vectors: Vectors, classes: Index) -> Whitening:
    """By the covariance of the negative controls alone (sphering; the first step of TVN, Ando et al. 2017)."""
    negative = vectors[classes < 0]
    centre: Float = negative.mean(axis=0, dtype=np.float64)
    return _whitening(centre, (negative[rows] - centre for rows in _chunks(len(negative))))


def standardised(vectors: Vectors, classes: Index) -> Whitening:
    """Each feature to zero mean and unit standard deviation, no rotation; constant features stay at zero."""
    x = vectors.astype(np.float64)
    spread = x.std(axis=0)
    return Whitening(x.mean(axis=0), np.diag(1 / np.where(spread > 0, spread, 1)))


def raw(vectors: Vectors, classes: Index) -> Whitening:
    """Vectors as they are, as in the paper."""
    features = vectors.shape[1]
    return Whitening(np.zeros(features), np.eye(features))


WHITENINGS: Mapping[str, Fit] = MappingProxyType(
    {"within_class": within_class, "negative_controls": on_negatives, "none": standardised, "raw": raw}
)


def ledoit_wolf(residual: Float | Iterable[Float]) -> Float:
    """Covariance [F, F] of centred rows [N, F] (or of parts of them, one after the other), shrunk to a multiple of the
    identity by the weight that minimises the expected squared error (Ledoit and Wolf 2004, "A well-conditioned
    estimator for large-dimensional covariance matrices"). Equal to scikit-learn's, which takes three times as long: the
    sum of the squared entries of X²'X² is the sum of the fourth powers of the rows' lengths, and needs no matrix
    product."""
    n, sample, fourth = 0, np.zeros(()), 0.0
    for part in [residual] if isinstance(residual, np.ndarray) else residual:
        n += len(part)
        sample = sample + part.T @ part
        fourth += float((np.einsum("ij,ij->i", part, part) ** 2).sum())
    sample, fourth, features = sample / n, fourth / n, len(sample)
    mean = float(np.trace(sample)) / features
    squares = float((sample**2).sum())
    distance = squares - features * mean**2
    shrinkage = min((fourth - squares) / n, distance) / distance if distance > 0 else 0.0
    shrunk: Float = (1 - shrinkage) * sample
    shrunk.flat[:: features + 1] += shrinkage * mean
    return shrunk


def _chunks(rows: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, rows, _CHUNK))


def _whitening(centre: Float, residual: Iterable[Float]) -> Whitening:
    values, axes = np.linalg.eigh(ledoit_wolf(residual))
    # Without any spread (all features constant) there is nothing to scale: vectors stay as they are.
    if values[-1] <= 0:
        return Whitening(centre, np.eye(len(centre)))
    # A constant feature has no variance to divide by; the floor keeps it finite instead of blowing it up.
    return Whitening(centre, (axes / np.sqrt(np.maximum(values, values[-1] * _FLOOR))) @ axes.T)
