"""Weights against gross outliers: 1 for every ordinary well, falling with the square of the distance beyond.

A well is judged against the other wells of its dose where there are at least three (no curve is assumed, so a toxic
drop is never taken for an outlier), else, given twelve wells, against a gain-loss curve through all of them. Least
squares with two gross outliers in 35 wells can be a factor 100 off in EC50; with normal errors hardly any well
reaches the limit.
"""

from __future__ import annotations

import numpy as np

from gandl_science.dose_response.models import GAIN_LOSS, Floats, SearchSpace, search_grid
from gandl_science.dose_response.solver import DoseMeans, Solution, dose_means, polish, solve

LIMIT = 5.0
"""Standardised residual from which a well loses weight."""
_CONSISTENCY = np.array([0.0, 0.0, 0.0, 3.185, 2.056, 2.038, 1.898, 1.815, 1.773, 1.716, 1.703, 1.665, 1.655, 1.58])
"""1 / median |y - median of m normal values| for m = 0, 1, ...; simulated again in tests/analysis."""
_MIN_WELLS = 12
_REFITS = 4


def outlier_weights(x: Floats, wells: Floats, present: Floats, space: SearchSpace) -> Floats:
    """Weights (B, D, R) of wells (B, D, R); `present` is 1 where there is a well, 0 where there is none."""
    counts = present.sum(axis=2)
    replicated = np.median(counts, axis=1) >= 3
    weights = present.copy()
    for rows, judge in (
        (replicated, lambda w, p: p * _falling(_replicate_residuals(w, p))),
        (~replicated & (counts.sum(axis=1) >= _MIN_WELLS), lambda w, p: _curve_weights(x, w, p, space)),
    ):
        if rows.any():
            weights[rows] = judge(wells[rows], present[rows])
    return weights


def _falling(residual: Floats) -> Floats:
    size = np.maximum(np.abs(residual), LIMIT)
    return np.asarray((LIMIT / size) ** 2)


def _replicate_residuals(wells: Floats, present: Floats) -> Floats:
    """Standardised distance of each well from the median of its dose; 0 at doses of fewer than three wells."""
    counts = present.sum(axis=2)
    judged = present * (counts >= 3)[:, :, None]
    residual = (wells - _median(wells, present)[:, :, None]) * judged
    factor = _CONSISTENCY[np.minimum(counts, _CONSISTENCY.size - 1).astype(int)][:, :, None]
    flat = (len(wells), -1)
    scale = _median((np.abs(residual) * factor).reshape(flat), judged.reshape(flat))
    return _standardised(residual, scale)


def _median(values: Floats, present: Floats) -> Floats:
    """Median along the last axis of the entries that are present; 0 where none is."""
    ordered = np.sort(np.where(present > 0, values, np.inf), axis=-1)
    count = (present > 0).sum(axis=-1)[..., None]
    middle = [np.take_along_axis(ordered, np.maximum(k, 0), axis=-1)[..., 0] for k in ((count - 1) // 2, count // 2)]
    return np.where(count[..., 0] > 0, (middle[0] + middle[1]) / 2, 0.0)


def _curve_weights(x: Floats, wells: Floats, present: Floats, space: SearchSpace) -> Floats:
    """Iteratively reweighted gain-loss fit; scale from the median absolute residual."""
    weights = present.copy()
    freedom = np.sqrt(present.sum(axis=(1, 2)) / (present.sum(axis=(1, 2)) - GAIN_LOSS.n_parameters))
    solution: Solution | None = None
    for _ in range(_REFITS):
        data = dose_means(x, wells, weights)
        solution = _refit(data, space, solution)
        fitted = solution.bottom[:, None] + (solution.top - solution.bottom)[:, None] * GAIN_LOSS.basis(
            x, solution.theta
        )
        residual = (wells - fitted[:, :, None]) * present
        flat = (len(wells), -1)
        scale = 1.4826 * _median(np.abs(residual).reshape(flat), present.reshape(flat)) * freedom
        weights = present * _falling(_standardised(residual, scale))
    return weights


def _refit(data: DoseMeans, space: SearchSpace, before: Solution | None) -> Solution:
    if before is None:
        return solve(data, GAIN_LOSS, space, search_grid(GAIN_LOSS, space))
    return polish(data, GAIN_LOSS, space, before.theta)


def _standardised(residual: Floats, scale: Floats) -> Floats:
    """Residuals in units of scale (B,); 0 where there is no scale (most replicates equal)."""
    known = np.where(scale > 0, scale, np.inf)
    return np.asarray(residual / known[:, None, None])
