"""What the axis does not see: the remainder r(x) = x - on · w of a whitened vector, in the separating hyperplane.

It tells a rescued cell from a cell killed another way: both may score like the positive control along the axis, but
the killed one lies far from both controls across it.

Whitening and taking out the axis are linear, so remainders are asked for along a few directions only and never formed
for all wells of a screen: 38,000 wells of 512 features would be 150 MB, and a second of one core, for each fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from gandl_science.arrays import projections
from gandl_science.axis.whitening import Whitening

Float = NDArray[np.float64]
Index = NDArray[np.intp]

COMPONENTS = 5
"""Directions that are looked at. In all 512, the noise of a few tiles a well drowns what a toxin does: on a simulated
screen, wells with half their cells poisoned lay 2.8 times as far out as controls in all directions, 4.8 in five."""

_PRIOR = 5.0  # wells' worth of the mean variance that steadies the variance of each direction
_CHUNK = 8192


@dataclass(frozen=True)
class Remainder:
    """r(x) = (x - centre) @ matrix, of vectors as they are. `centre` [F]; `matrix` [F, F]."""

    centre: Float
    matrix: Float

    def __call__(self, vectors: Float) -> Float:
        """Remainders [N, F] of vectors [N, F]."""
        remainder: Float = (vectors - self.centre) @ self.matrix
        return remainder

    def along(self, vectors: Float, directions: Float) -> Float:
        """The same along `directions` [F, K], [N, K]."""
        functionals = (self.matrix @ directions).T
        return projections(vectors, functionals, -(functionals @ self.centre))


def remainder_of(whiten: Whitening, weights: Float) -> Remainder:
    """What is left of whitened vectors without their part along the unit weights [F]."""
    return Remainder(whiten.centre, whiten.matrix - np.outer(whiten.matrix @ weights, weights))


@dataclass(frozen=True)
class OffReference:
    """Where a well without any other effect is expected to lie, and how to measure from there: the mean remainders [F]
    of the negative and the positive training wells, the directions `basis` [F, K] in which the wells of the screen
    differ most from what is expected, and the `spread` [K] of training controls along them."""

    negative: Float
    positive: Float
    basis: Float
    spread: Float

    def distance(self, along: Float, efficacy: Float) -> Float:
        """Mahalanobis distances [W] of wells from what is expected at their efficacy [W], given their remainders along
        the basis [W, K]."""
        gap = _gap(along, efficacy, self.negative @ self.basis, self.positive @ self.basis)
        distances: Float = np.linalg.norm(gap / self.spread, axis=1)
        return distances


@dataclass(frozen=True)
class WellScatter:
    """Second moments of wells' mean vectors and of where their efficacy puts them between the controls.

    From `moments` [F + 2, F + 2], the sum of z zᵀ over wells with z = (mean vector - origin, 1, place in 0..1), the
    scatter of what the wells have beyond expectation follows for any whitening, axis and training controls.
    """

    origin: Float
    moments: Float

    def beyond(self, remainder: Remainder, negative: Float, positive: Float) -> Float:
        """Sum over wells [F, F] of gap gapᵀ, the gap being the remainder less what is expected, given mean vectors [F]
        of the training controls."""
        from_negative = np.vstack([np.eye(len(self.origin)), self.origin - negative, negative - positive])
        gaps = from_negative @ remainder.matrix
        scatter: Float = gaps.T @ self.moments @ gaps
        return scatter


def well_scatter(means: Float, efficacy: Float) -> WellScatter:
    """Of mean vectors [W, F] of wells with efficacies [W]; wells without tiles (NaN) are left out."""
    known = np.asarray(np.isfinite(means).all(axis=1))
    origin: Float = means[known].mean(axis=0) if known.any() else np.zeros(means.shape[1])
    place, moments = _place(efficacy), np.zeros((means.shape[1] + 2,) * 2)
    for start in range(0, len(means), _CHUNK):
        keep = start + np.flatnonzero(known[start : start + _CHUNK])
        z = np.column_stack([means[keep] - origin, np.ones(len(keep)), place[keep]])
        moments += z.T @ z
    return WellScatter(origin, moments)


def off_reference(
    remainder: Remainder, means: Float, efficacy: Float, labels: Index, scatter: WellScatter
) -> OffReference:
    """From mean vectors [W, F] and efficacies [W] of wells, and the labels [W] of the training controls (0: others).

    The directions are found without labels, over all wells alike (`scatter`), so that a held-out control and a
    treatment are measured the same way. Wells without tiles (NaN) are left out.
    """
    negative, positive = (np.nanmean(means[labels == side], axis=0) for side in (-1, 1))
    beyond = scatter.beyond(remainder, negative, positive)
    features = len(beyond)
    # Only those asked for: a quarter of the time of all 512.
    largest = [max(features - COMPONENTS, 0), features - 1]
    basis: Float = eigh(beyond, subset_by_index=largest)[1][:, ::-1]
    at_negative, at_positive = remainder(np.stack([negative, positive]))
    controls = np.flatnonzero((labels != 0) & np.isfinite(means[:, 0]))
    gap = _gap(remainder.along(means[controls], basis), efficacy[controls], at_negative @ basis, at_positive @ basis)
    variance = (gap**2).mean(axis=0)
    steadied = (len(gap) * variance + _PRIOR * variance.mean()) / (len(gap) + _PRIOR)
    return OffReference(at_negative, at_positive, basis, np.sqrt(np.where(steadied > 0, steadied, 1)))


def _gap(along: Float, efficacy: Float, negative: Float, positive: Float) -> Float:
    """Remainders less what is expected at an efficacy: the point on the straight line between the controls."""
    return along - (negative + _place(efficacy)[:, None] * (positive - negative))


def _place(efficacy: Float) -> Float:
    """Place between the controls, 0 to 1: the efficacy cut to [-1, 1], as nothing says how the line goes on beyond;
    without an efficacy (NaN) the middle."""
    place: Float = (np.clip(np.nan_to_num(efficacy), -1, 1) + 1) / 2
    return place


def first_component(remainder: Float) -> Float:
    """Unit first principal direction [F] of control wells' mean remainders [W, F], centred; its largest entry is
    positive, so that the sign does not depend on the decomposition."""
    known = remainder[np.isfinite(remainder).all(axis=1)]
    direction: Float = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][0]
    return direction * (1.0 if direction[np.argmax(np.abs(direction))] > 0 else -1.0)
