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


@dataclass(frozen=True)
class OffReference:
    """Mean remainders [F] of the negative and the positive training wells: where a well without any other effect is
    expected to lie, at efficacy -1, at +1, and on the straight line between them."""

    negative: Float
    positive: Float

    def distance(self, remainder: Float, efficacy: Float) -> Float:
        """Distances [W] of wells' mean remainders [W, F] from what is expected at their efficacy [W].

        In whitened coordinates, so these are Mahalanobis distances under the covariance that was whitened by. The
        efficacy is cut to [-1, 1]: further out, nothing says how the controls' line goes on. NaN without a remainder.
        """
        at = (np.clip(np.nan_to_num(efficacy), -1, 1)[:, None] + 1) / 2
        gap = remainder - (self.negative + at * (self.positive - self.negative))
        distances: Float = np.linalg.norm(gap, axis=1)
        return distances


def split(whitened: Float, weights: Float) -> tuple[Float, Float]:
    """Along [N] and remainder [N, F] of whitened vectors [N, F], for unit weights [F]."""
    along = whitened @ weights
    return along, whitened - along[:, None] * weights


def off_reference(remainder: Float, labels: Index) -> OffReference:
    """From mean remainders [W, F] of training wells with labels [W]; wells without one (NaN) are left out."""
    return OffReference(*(np.nanmean(remainder[labels == side], axis=0) for side in (-1, 1)))


def first_component(remainder: Float) -> Float:
    """Unit first principal direction [F] of control wells' mean remainders [W, F], centred; its largest entry is
    positive, so that the sign does not depend on the decomposition."""
    known = remainder[np.isfinite(remainder).all(axis=1)]
    direction: Float = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][0]
    return direction * (1.0 if direction[np.argmax(np.abs(direction))] > 0 else -1.0)
