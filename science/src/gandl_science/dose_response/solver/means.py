"""Dose means, on which a curve depends alone, and the two plateaus that fit them best.

The wells of one dose have the same prediction, so a curve depends on its weighted dose means only: sum of squares =
pure error (within doses) + lack of fit (dose means about the curve).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gandl_science.arrays import Float, Index

_FLAT = 1e-13
"""A basis whose variance within the doses is below this is flat to rounding, and has no amplitude."""
_FLAT_ON_GRID = 1e-10
"""The same for the grid, where the variance is a difference of two sums and so less exact."""


@dataclass(frozen=True)
class DoseMeans:
    """B curves over D doses.

    x (D,), or (B, D) where curves have doses of their own, is log10 dose, weight (B, D) the sum of well weights, mean
    (B, D) the weighted mean of the wells, and pure (B,) the weighted sum of squares within doses.
    """

    x: Float
    weight: Float
    mean: Float
    pure: Float

    @property
    def n_doses(self) -> int:
        """The number of doses D."""
        return int(self.mean.shape[-1])

    # Both are needed several times in every step of a polish.
    @cached_property
    def total_weight(self) -> Float:
        """The effective number of wells, (B,): a downweighted well counts as its weight."""
        return np.asarray(self.weight.sum(axis=1))

    @cached_property
    def grand_mean(self) -> Float:
        """The weighted mean of all wells, (B,)."""
        return np.asarray((self.weight * self.mean).sum(axis=1) / self.total_weight)

    @property
    def between(self) -> Float:
        """The weighted sum of squares of dose means about the grand mean, (B,)."""
        return np.asarray((self.weight * (self.mean - self.grand_mean[:, None]) ** 2).sum(axis=1))

    def take(self, curves: Index) -> DoseMeans:
        """Return the curves at these indices (repeats are allowed)."""
        x = self.x if self.x.ndim == 1 else self.x[curves]
        return DoseMeans(x, self.weight[curves], self.mean[curves], self.pure[curves])


def dose_means(x: Float, wells: Float, weights: Float) -> DoseMeans:
    """Average wells (B, D, R) with weights (B, D, R), 0 where there is no well. Every dose needs some weight."""
    weight = weights.sum(axis=2)
    mean = (weights * wells).sum(axis=2) / weight
    pure = (weights * (wells - mean[:, :, None]) ** 2).sum(axis=(1, 2))
    return DoseMeans(x, weight, mean, pure)


def plateaus(data: DoseMeans, basis: Float) -> tuple[Float, Float, Float]:
    """Return bottom (B,), amplitude (B,) and residuals (B, D) of the best line through basis (B, D)."""
    total, centre = data.total_weight, data.grand_mean
    # Centring makes the two plateaus orthogonal, so that the line has a closed form.
    h_mean = (data.weight * basis).sum(axis=1) / total
    h = basis - h_mean[:, None]
    spread = (data.weight * h * h).sum(axis=1)
    usable = spread > _FLAT * total
    amplitude = np.where(usable, (data.weight * h * data.mean).sum(axis=1) / np.where(usable, spread, 1.0), 0.0)
    residual = data.mean - centre[:, None] - amplitude[:, None] * h
    return centre - amplitude * h_mean, amplitude, residual


def explained(data: DoseMeans, basis: Float) -> Float:
    """Return the sum of squares (S * M, G) that the grid bases (S, D, G) explain beyond the mean.

    The data are M curves for each of S grids, in order.
    """
    weight = data.weight.reshape(len(basis), -1, data.n_doses)
    y = (data.mean - data.grand_mean[:, None]).reshape(weight.shape)
    gains = (weight * y) @ basis
    # Without missing or downweighted wells all curves have the same weights, and one row of spreads is enough.
    if np.all(weight == weight[:, :1]):
        weight = weight[:, :1]
    total = weight.sum(axis=2, keepdims=True)
    spread = weight @ basis**2 - (weight @ basis) ** 2 / total
    spread[spread <= _FLAT_ON_GRID * total] = np.inf
    # In place, because these arrays are the largest of a fit.
    gains *= gains
    gains /= spread
    return np.asarray(gains.reshape(len(data.mean), -1))


def unit_basis(weight: Float, basis: Float) -> Float:
    """Return the bases (D, G) centred and of length one under the weights (D,) of the doses, for `best_points`."""
    total = weight.sum()
    centred = basis - weight @ basis / total
    spread = weight @ centred**2
    centred *= weight[:, None] / np.sqrt(np.where(spread > _FLAT_ON_GRID * total, spread, np.inf))
    return np.asarray(centred)


def best_points(deviation: Float, basis: Float) -> tuple[Index, Float]:
    """Return the grid point (B,) that explains most of dose means, and the sum of squares (B,) that it explains.

    `deviation` (B, D) are dose means about their grand mean. All have the weights of the `unit_basis` (D, G), so that a
    point explains the square of a cosine, and no spread need be divided by.
    """
    cosines = deviation @ basis
    best = np.abs(cosines, out=cosines).argmax(axis=1)
    return best, cosines[np.arange(best.size), best] ** 2
