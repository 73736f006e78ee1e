"""What the axis does not see: the remainder r(x) = x - on · w of a whitened vector, in the separating hyperplane.

It tells a rescued cell from a cell killed another way: both may score like the positive control along the axis, but
the killed one lies far from both controls across it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Index = NDArray[np.intp]


COMPONENTS = 5
"""Directions that are looked at. In all 512, the noise of a few tiles a well drowns what a toxin does: on a simulated
screen, wells with half their cells poisoned lay 2.8 times as far out as controls in all directions, 4.8 in five."""

_PRIOR = 5.0  # wells' worth of the mean variance that steadies the variance of each direction


@dataclass(frozen=True)
class OffReference:
    """Where a well without any other effect is expected to lie, and how to measure from there: the mean remainders [F]
    of the negative and the positive training wells, the directions `basis` [F, K] in which the wells of the screen
    differ most from what is expected, and the `spread` [K] of training controls along them."""

    negative: Float
    positive: Float
    basis: Float
    spread: Float

    def distance(self, remainder: Float, efficacy: Float) -> Float:
        """Mahalanobis distances [W] of wells' mean remainders [W, F] from what is expected at their efficacy [W]."""
        gap = _gap(remainder, efficacy, self.negative, self.positive)
        distances: Float = np.linalg.norm(gap @ self.basis / self.spread, axis=1)
        return distances


def off_reference(remainder: Float, efficacy: Float, labels: Index) -> OffReference:
    """From mean remainders [W, F] and efficacies [W] of wells, and the labels [W] of the training controls (0: others).

    The directions are found without labels, over all wells alike, so that a held-out control and a treatment are
    measured the same way. Wells without tiles (NaN) are left out.
    """
    negative, positive = (np.nanmean(remainder[labels == side], axis=0) for side in (-1, 1))
    gap = _gap(remainder, efficacy, negative, positive)
    known = gap[np.isfinite(gap).all(axis=1)]
    basis = np.linalg.eigh(known.T @ known)[1][:, ::-1][:, :COMPONENTS]
    controls = gap[(labels != 0) & np.isfinite(gap).all(axis=1)] @ basis
    variance = (controls**2).mean(axis=0)
    steadied = (len(controls) * variance + _PRIOR * variance.mean()) / (len(controls) + _PRIOR)
    return OffReference(negative, positive, basis, np.sqrt(np.where(steadied > 0, steadied, 1)))


def _gap(remainder: Float, efficacy: Float, negative: Float, positive: Float) -> Float:
    """Remainders less what is expected at an efficacy: the point on the straight line between the controls. The
    efficacy is cut to [-1, 1], as nothing says how the line goes on; without one (NaN) it counts as 0."""
    at = (np.clip(np.nan_to_num(efficacy), -1, 1)[:, None] + 1) / 2
    return remainder - (negative + at * (positive - negative))


def split(whitened: Float, weights: Float) -> tuple[Float, Float]:
    """Along [N] and remainder [N, F] of whitened vectors [N, F], for unit weights [F]."""
    along = whitened @ weights
    return along, whitened - along[:, None] * weights


def first_component(remainder: Float) -> Float:
    """Unit first principal direction [F] of control wells' mean remainders [W, F], centred; its largest entry is
    positive, so that the sign does not depend on the decomposition."""
    known = remainder[np.isfinite(remainder).all(axis=1)]
    direction: Float = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][0]
    return direction * (1.0 if direction[np.argmax(np.abs(direction))] > 0 else -1.0)
