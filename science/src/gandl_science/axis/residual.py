"""The residual of a whitened vector: r(x) = x - on · w, its part in the separating hyperplane.

The residual tells a rescued cell from a cell that was killed in another way. Both may score like the positive control
along the axis, but the killed one is far from both controls across it.

Whitening and splitting off the axis are linear, so residuals are computed along a few directions only and never formed
for all wells of a screen: 38,000 wells of 512 features would take 150 MB, and a second of one core, for each fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from gandl_science.arrays import Float, Index, Vectors, projections
from gandl_science.axis.linear.whitening import Whitening
from gandl_science.threads import map_parts, row_blocks, row_parts

COMPONENTS = 5
"""The number of directions in which off-axis distances are measured. In all 512, the noise of a few tiles per well
drowns what a toxin does: on a simulated screen, wells with half their cells poisoned were 2.8 times as far out as
controls in all directions, and 4.8 times in five."""

_PRIOR_WELLS = 5.0
"""The variance of each direction is steadied by the mean variance, which counts as this many wells."""
_LONG = 4  # so many times more rows than columns make a singular value decomposition slow
_CHUNK = 2048


@dataclass(frozen=True, kw_only=True)
class Residual:
    """The map r(x) = (x - centre) @ matrix on vectors that are not whitened. `centre` is [F], `matrix` [F, F]."""

    centre: Float
    matrix: Float

    def __call__(self, vectors: Float) -> Float:
        """Return the residuals [N, F] of vectors [N, F]."""
        residuals: Float = (vectors - self.centre) @ self.matrix
        return residuals

    def along(self, vectors: Vectors, directions: Float) -> Float:
        """Return the residuals [N, K] along `directions` [F, K]."""
        # (x - c) M D = x (M D) - c (M D): K functionals instead of a residual per vector.
        functionals = (self.matrix @ directions).T
        return projections(vectors, functionals, -(functionals @ self.centre))


def residual_of(whitening: Whitening, weights: Float) -> Residual:
    """Return the map to whitened vectors without their part along the unit `weights` [F]."""
    matrix = whitening.matrix - np.outer(whitening.matrix @ weights, weights)
    return Residual(centre=whitening.centre, matrix=matrix)


@dataclass(frozen=True, kw_only=True)
class OffReference:
    """The residual that a well without any other effect is expected to have, and the scale of deviations from it.

    `negative` and `positive` [F] are the mean residuals of the training controls. `basis` [F, K] holds the directions
    in which the wells of the screen deviate most, and `spread` [K] is how much the training controls deviate in them.
    """

    negative: Float
    positive: Float
    basis: Float
    spread: Float

    def distance(self, along: Float, efficacy: Float) -> Float:
        """Return the Mahalanobis distances [W] of wells from the expectation at their `efficacy` [W].

        `along` [W, K] are their residuals along the basis.
        """
        gap = _gap(along, efficacy, self.negative @ self.basis, self.positive @ self.basis)
        distances: Float = np.linalg.norm(gap / self.spread, axis=1)
        return distances


@dataclass(frozen=True, kw_only=True)
class WellScatter:
    """Second moments of the mean vectors of wells, and of their fractions of the way between the controls.

    `moments` [F + 2, F + 2] is the sum of z zᵀ over wells with z = (mean vector - origin, 1, fraction). From it follows
    the scatter of the wells' deviations for any whitening, axis and training controls, without another pass over the
    wells.
    """

    origin: Float
    moments: Float

    def of_deviations(self, residual: Residual, negative: Float, positive: Float) -> Float:
        """Return the sum over wells [F, F] of d dᵀ, where d is the residual minus its expectation.

        `negative` and `positive` [F] are the mean vectors of the training controls.
        """
        # d is linear in z, so the sum of d dᵀ is a product of z's moments with this matrix on both sides.
        from_negative = np.vstack([np.eye(len(self.origin)), self.origin - negative, negative - positive])
        deviations = from_negative @ residual.matrix
        scatter: Float = deviations.T @ self.moments @ deviations
        return scatter


def well_scatter(means: Float, efficacy: Float) -> WellScatter:
    """Return the scatter of mean vectors [W, F] of wells with an `efficacy` [W]. Wells without tiles are left out."""
    finite = np.asarray(np.isfinite(means).all(axis=1))
    # Relative to their mean, as products of large numbers would lose the digits that differ.
    if finite.all() and len(means):
        origin: Float = means.mean(axis=0)  # without a copy of all wells
    else:
        origin = means[finite].mean(axis=0) if finite.any() else np.zeros(means.shape[1])
    fraction = _fraction(efficacy)

    def moments_of(part: slice) -> Float:
        moments = np.zeros((means.shape[1] + 2,) * 2)
        for rows in row_blocks(part, _CHUNK):
            keep = rows.start + np.flatnonzero(finite[rows])
            z = np.column_stack([means[keep] - origin, np.ones(len(keep)), fraction[keep]])
            moments += z.T @ z
        return moments

    parts = row_parts(len(means), _CHUNK)
    return WellScatter(origin=origin, moments=np.add.reduce(map_parts(moments_of, parts)))


def off_reference(
    residual: Residual, means: Float, efficacy: Float, labels: Index, scatter: WellScatter
) -> OffReference:
    """Fit the reference on the training controls, the wells whose `labels` [W] are +1 or -1.

    `means` [W, F] and `efficacy` [W] are of all wells; those without tiles (NaN) are left out. The directions come from
    all wells alike (`scatter`) and not from labels, so that a held-out control and a treatment are measured in the same
    way.
    """
    negative, positive = (np.nanmean(means[labels == side], axis=0) for side in (-1, 1))
    deviations = scatter.of_deviations(residual, negative, positive)
    features = len(deviations)
    # Only the largest eigenvectors are computed, in a quarter of the time of all 512.
    largest = [max(features - COMPONENTS, 0), features - 1]
    basis: Float = eigh(deviations, subset_by_index=largest)[1][:, ::-1]
    at_negative, at_positive = residual(np.stack([negative, positive]))
    controls = np.flatnonzero((labels != 0) & np.isfinite(means[:, 0]))
    along = residual.along(means[controls], basis)
    gap = _gap(along, efficacy[controls], at_negative @ basis, at_positive @ basis)
    # A few controls give an unsteady variance per direction, so it is shrunk to the mean over the directions.
    variance = (gap**2).mean(axis=0)
    steadied = (len(gap) * variance + _PRIOR_WELLS * variance.mean()) / (len(gap) + _PRIOR_WELLS)
    spread = np.sqrt(np.where(steadied > 0, steadied, 1))
    return OffReference(negative=at_negative, positive=at_positive, basis=basis, spread=spread)


def _gap(along: Float, efficacy: Float, negative: Float, positive: Float) -> Float:
    """Return residuals minus what is expected at an efficacy: the point on the straight line between the controls."""
    return along - (negative + _fraction(efficacy)[:, None] * (positive - negative))


def _fraction(efficacy: Float) -> Float:
    """Return the fraction of the way from the negative (0) to the positive control (1) at an efficacy [W].

    The efficacy is cut to [-1, 1], as nothing is known of the line beyond the controls. NaN counts as the middle.
    """
    fraction: Float = (np.clip(np.nan_to_num(efficacy), -1, 1) + 1) / 2
    return fraction


def first_component(residuals: Float) -> Float:
    """Return the unit first principal direction [F] of the mean residuals [W, F] of control wells.

    Its largest entry is positive, so that the sign does not depend on the decomposition.
    """
    finite = residuals[np.isfinite(residuals).all(axis=1)]
    centred = finite - finite.mean(axis=0)
    wells, features = centred.shape
    if wells >= _LONG * features:
        # Many wells: the largest eigenvector of their scatter, in a tenth of the time and without a second copy.
        direction: Float = eigh(centred.T @ centred, subset_by_index=[features - 1, features - 1])[1][:, 0]
    else:
        direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    return direction * (1.0 if direction[np.argmax(np.abs(direction))] > 0 else -1.0)
