"""Weights against gross outliers: 1 for every ordinary well, falling with the square of the distance beyond a limit.

Where a dose has at least three wells, a well is compared with the other wells of its dose. No curve is assumed, so that
a toxic drop is never taken for an outlier. With fewer replicates, and at least twelve wells, a well is compared with a
gain-loss curve through all wells. Two gross outliers in 35 wells can change a least-squares EC50 by a factor of 100;
with normal errors hardly any well reaches the limit.

The weight (limit / distance)^2 makes the influence of a well fall as 1 / distance, like the redescending functions of
Hampel et al. (1986). With the weight limit / distance of Huber (1964) the influence would stay constant. The limit of 5
is near the tuning constant of Tukey's biweight, 4.685, which keeps 95 % of the efficiency of least squares with normal
errors (Holland and Welsch 1977); within our limit a well keeps its whole weight.
"""

from __future__ import annotations

import numpy as np

from gandl_science.arrays import Float, Mask
from gandl_science.dose_response.models import GAIN_LOSS, SearchSpace
from gandl_science.dose_response.solver.curves import solve
from gandl_science.dose_response.solver.means import DoseMeans, dose_means
from gandl_science.dose_response.solver.polish import Solution, polish
from gandl_science.dose_response.verdict.onset import MAD_TO_SD

LIMIT = 5.0
"""The standardised residual from which a well loses weight."""
CONSISTENCY = np.array([0.0, 0.0, 0.0, 3.185, 2.056, 2.038, 1.898, 1.815, 1.773, 1.716, 1.703, 1.665, 1.655, 1.58])
"""1 / median |y - median of m normal values| for m = 0, 1, ... wells; a test simulates the factors again.

They take the place of 1.4826, which holds for many wells only."""
_MIN_REPLICATES = 3
_MIN_WELLS = 12
_MANY_SHARE, _MAX_SHARE = 0.1, 0.2
"""The shares of wells beyond the limit from which on a curve is flagged, and above which none of them is an outlier:
gross errors are rare, so the noise of so many wells is not normal. Responses that end at 0 and 1 are an example: most
replicates are equal, and the others seem infinitely far from them."""
_REFITS = 4
"""The number of reweighted fits is fixed, so that their time is bounded."""


def outlier_weights(x: Float, wells: Float, present: Float, space: SearchSpace) -> Float:
    """Return weights (B, D, R) of wells (B, D, R); `present` is 1 where there is a well and 0 where there is none."""
    counts = present.sum(axis=2)
    replicated = np.median(counts, axis=1) >= _MIN_REPLICATES
    fittable = ~replicated & (counts.sum(axis=1) >= _MIN_WELLS)
    weights = present.copy()
    if replicated.any():
        residuals = _replicate_residuals(wells[replicated], present[replicated])
        weights[replicated] = present[replicated] * _weights(residuals)
    if fittable.any():
        rows = np.flatnonzero(fittable)
        own = x if x.ndim == 1 else x[rows]
        weights[rows] = _curve_weights(own, wells[rows], present[rows], space.take(rows))
    return weights


def share_of_outliers(weights: Float, present: Float) -> Float:
    """Return the share (B,) of wells that lost weight."""
    return np.asarray(((weights < 1) & (present > 0)).sum(axis=(1, 2)) / present.sum(axis=(1, 2)))


def has_many_outliers(share: Float) -> Mask:
    """Return for which shares of outliers (B,) a curve is flagged: a tenth or more."""
    return np.asarray(share >= _MANY_SHARE)


def has_other_noise(share: Float) -> Mask:
    """Return for which shares of outliers (B,) no well is taken for one: more than a fifth."""
    return np.asarray(share > _MAX_SHARE)


def _weights(residual: Float) -> Float:
    """Return the weight of each standardised residual."""
    # Within the limit the ratio is one.
    size = np.maximum(np.abs(residual), LIMIT)
    return np.asarray((LIMIT / size) ** 2)


def _replicate_residuals(wells: Float, present: Float) -> Float:
    """Return standardised distances (B, D, R) from the median of the dose; 0 at doses of fewer than three wells."""
    counts = present.sum(axis=2)
    compared = present * (counts >= _MIN_REPLICATES)[:, :, None]
    residual = (wells - _median(wells, present)[:, :, None]) * compared
    # Wells are close to the median of few wells because they are part of it, so each dose has a factor of its own size.
    factor = CONSISTENCY[np.minimum(counts, CONSISTENCY.size - 1).astype(int)][:, :, None]
    # One scale per compound: the wells of a single dose are too few to say how much wells scatter.
    flat = (len(wells), -1)
    scale = _median((np.abs(residual) * factor).reshape(flat), compared.reshape(flat))
    return _standardise(residual, scale)


def _median(values: Float, present: Float) -> Float:
    """Return the median along the last axis of the entries that are present; 0 where none is."""
    # Absent entries are sorted to the end, behind the present ones.
    ordered = np.sort(np.where(present > 0, values, np.inf), axis=-1)
    count = (present > 0).sum(axis=-1)[..., None]
    middle = [np.take_along_axis(ordered, np.maximum(k, 0), axis=-1)[..., 0] for k in ((count - 1) // 2, count // 2)]
    return np.where(count[..., 0] > 0, (middle[0] + middle[1]) / 2, 0.0)


def _curve_weights(x: Float, wells: Float, present: Float, space: SearchSpace) -> Float:
    """Return weights from an iteratively reweighted gain-loss fit, with a scale from the median absolute residual."""
    weights = present.copy()
    n_wells = present.sum(axis=(1, 2))
    # Residuals of a fit are too small by this factor, because the curve has followed the wells.
    inflation = np.sqrt(n_wells / (n_wells - GAIN_LOSS.n_parameters))
    flat = (len(wells), -1)
    solution: Solution | None = None
    for _ in range(_REFITS):
        solution = _refit(dose_means(x, wells, weights), space, solution)
        basis = GAIN_LOSS.basis(x, solution.theta)
        fitted = solution.bottom[:, None] + (solution.top - solution.bottom)[:, None] * basis
        residual = (wells - fitted[:, :, None]) * present
        scale = MAD_TO_SD * _median(np.abs(residual).reshape(flat), present.reshape(flat)) * inflation
        weights = present * _weights(_standardise(residual, scale))
    return weights


def _refit(data: DoseMeans, space: SearchSpace, previous: Solution | None) -> Solution:
    """Fit gain-loss curves: from the whole grid at first, then from the previous solution."""
    if previous is None:
        return solve(data, GAIN_LOSS, space)
    return polish(data, GAIN_LOSS, space, previous.theta)


def _standardise(residual: Float, scale: Float) -> Float:
    """Return residuals in units of scale (B,); 0 where the scale is 0, because most replicates are equal."""
    divisor = np.where(scale > 0, scale, np.inf)
    return np.asarray(residual / divisor[:, None, None])
