"""Whitening: the coordinates in which the spread that should not count is the same in every direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Whitening:
    """x → (x - centre) @ matrix. `matrix` [F, F] is the symmetric inverse root of a covariance."""

    centre: Float
    matrix: Float

    def __call__(self, vectors: NDArray[np.floating]) -> Float:
        """Whitened vectors [N, F]."""
        out: Float = (vectors.astype(np.float64) - self.centre) @ self.matrix
        return out


def within_class(vectors: NDArray[np.floating], classes: NDArray[np.intp]) -> Whitening:
    """By the pooled within-class covariance, shrunk after Ledoit and Wolf (2004): what is left is what tells the
    classes apart, in units of the spread inside them (Fisher's discriminant is the difference of means here)."""
    x = vectors.astype(np.float64)
    residual = x.copy()
    for c in np.unique(classes):
        residual[classes == c] -= x[classes == c].mean(axis=0)
    return _whitening(x.mean(axis=0), residual)


def on_reference(vectors: NDArray[np.floating]) -> Whitening:
    """By the covariance of reference vectors alone (the negative controls: sphering, as in TVN's first step)."""
    x = vectors.astype(np.float64)
    return _whitening(x.mean(axis=0), x - x.mean(axis=0))


def standardised(vectors: NDArray[np.floating]) -> Whitening:
    """Each feature to unit standard deviation, no rotation; constant features stay at zero."""
    x = vectors.astype(np.float64)
    spread = x.std(axis=0)
    return Whitening(x.mean(axis=0), np.diag(1 / np.where(spread > 0, spread, 1)))


def _whitening(centre: Float, residual: Float) -> Whitening:
    covariance, _ = ledoit_wolf(residual, assume_centered=True)
    values, axes = np.linalg.eigh(covariance)
    # A feature that is constant has no variance to divide by; the floor keeps it at zero instead of blowing it up.
    floor = max(float(values[-1]), np.finfo(float).tiny) * 1e-10
    return Whitening(centre, (axes / np.sqrt(np.maximum(values, floor))) @ axes.T)
