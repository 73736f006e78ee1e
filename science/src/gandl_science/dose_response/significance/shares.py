"""The share of the variation about the mean that the best Hill curve of a grid explains."""

from __future__ import annotations

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.models import SearchSpace, rise_table
from gandl_science.dose_response.solver.means import DoseMeans

_SLOPES = 6
_MIN_LENGTH = 1e-5
"""The length, relative to the weights, below which a centred Hill curve is flat within the doses."""
_CURVES_PER_CHUNK = 1000


def hill_grids(x: Float, space: SearchSpace) -> Float:
    """Return the Hill bases (S, D, G) among which the activity test searches: seven EC50s per decade, six slopes.

    x (S, D) is log10 dose of S designs. The bounds of the search, one number or (S,), are such that all grids have
    equally many points.
    """
    low, high = (np.broadcast_to(end, len(x)) for end in (space.low, space.high))
    n_locations = int(grid_points(high[:1] - low[:1])[0]) // _SLOPES
    locations = np.linspace(low, high, n_locations, axis=-1)
    return rise_table(x, locations, np.linspace(*space.slopes, _SLOPES)).reshape(*x.shape, -1)


def grid_points(length: Float) -> Index:
    """Return the number G of the points of the grids of search spaces of these lengths (S,), in decades."""
    return np.asarray(_SLOPES * np.maximum(15, np.rint(7 * length).astype(int) + 1))


def best_shares(data: DoseMeans, grids: Float) -> Float:
    """Return the largest share (S * M,) in [0, 1] of the variation about the mean that a Hill curve explains.

    The data are M curves for each of S grids (S, D, G), in order, and have equal weights.
    """
    own = directions(data).reshape(len(grids), -1, data.n_doses)
    units = unit_curves(grids, data.weight[0])
    return np.concatenate([share_of_best(unit, part) for unit, part in zip(units, own, strict=True)])


def directions(data: DoseMeans) -> Float:
    """Return the centred dose means (B, D), in units in which all variation about the mean is 1."""
    # Scaling by the root of the weights turns weighted into plain sums of squares.
    total = data.between + data.pure
    scale = np.sqrt(data.weight / np.where(total > 0, total, 1.0)[:, None])
    return np.asarray((data.mean - data.grand_mean[:, None]) * scale)


def unit_curves(grids: Float, weight: Float) -> Float:
    """Return the centred Hill curves (S, D, G) of length 1 with these weights (D,); 0 for flat ones."""
    root = np.sqrt(weight)
    centred = (grids - (weight / weight.sum() @ grids)[:, None]) * root[:, None]
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    # A curve that is flat within the doses has no direction.
    centred /= np.where(length > _MIN_LENGTH * np.linalg.norm(root), length, np.inf)
    return np.asarray(centred)


def share_of_best(unit: Float, direction: Float) -> Float:
    """Return the square (B,) of the largest cosine of directions (B, D) with unit curves (D, G)."""
    best = np.empty(len(direction))
    for start in range(0, len(direction), _CURVES_PER_CHUNK):
        rows = slice(start, start + _CURVES_PER_CHUNK)
        # The curves are the first axis, because maxima over the last axis are slow.
        cosines = unit.T @ direction[rows].T
        # A falling curve is a rising one with the other sign, so the size of a cosine counts.
        np.abs(cosines, out=cosines).max(axis=0, out=best[rows])
    return np.minimum(best**2, 1.0)
