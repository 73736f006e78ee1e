"""The ends of profile-likelihood intervals of any quantity of many curves, by a march outwards from the estimate.

A quantity is described by its excess: the misfit of the best curve with the quantity fixed at a value, minus the
largest misfit that the interval allows (Bates and Watts 1988, chapter 6). The interval holds the values of negative
excess.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import fdtri

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.intervals.locations import ShapeFit
from gandl_science.dose_response.intervals.lockstep import ProfileRequest, Search, Steps, run_together
from gandl_science.dose_response.models import Shape

Excess = Callable[[Index, Float], Steps]
"""Return the excess (N,) at these indices (N,) of the ends where their quantity has the values (N,)."""
_FIRST_STEP, _STEP_GROWTH = 0.05, 1.7
"""The first step of the march and the growth of the next ones, in decades or units of ln slope."""
_BRACKET_WIDTH, _MAX_REFINEMENTS = 2e-3, 40
_MAX_PROFILE_STEPS = 20


def allowed_misfit(fit: ShapeFit, confidence: float) -> Float:
    """Return the largest misfit (B,) inside an interval; NaN without residual degrees of freedom."""
    quantile = fdtri(1, np.maximum(fit.residual_df, 0.5), confidence)
    return np.asarray(fit.best.misfit + fit.variance * quantile)


def slope_interval(fit: ShapeFit, index: int, confidence: float) -> tuple[Float, Float]:
    """Return the ends (B,), (B,) of the interval of the slope theta[index], as slopes; see `search_slopes`."""
    low, high = run_together([search_slopes(fit, confidence)], fit.shape)[0]
    column = slope_indices(fit.shape).index(index)
    return low[:, column], high[:, column]


def slope_indices(shape: Shape) -> list[int]:
    """Return the indices of theta that are slopes."""
    return [index for index in range(shape.n_theta) if index not in shape.locations]


def search_slopes(fit: ShapeFit, confidence: float) -> Search:
    """Return the ends (B, K), (B, K) of the intervals of the K slopes of the shape, as slopes; NaN is an open side.

    A side is open where the bound of the slopes is still inside.
    """
    slopes, count = slope_indices(fit.shape), len(fit.best.theta)
    slope, side, curve = (index.ravel() for index in np.indices((len(slopes), 2, count)))
    entry, rows = np.array(slopes)[slope], np.arange(slope.size)
    data, space, theta = fit.data.take(curve), fit.space.take(curve), fit.best.theta[curve]
    allowed = allowed_misfit(fit, confidence)[curve]

    def excess(ends: Index, values: Float) -> Steps:
        trial = theta[ends]
        trial[np.arange(ends.size), entry[ends]] = values
        profile = yield ProfileRequest(
            data=data.take(ends), space=space.take(ends), start=trial, fixed=entry[ends], max_steps=_MAX_PROFILE_STEPS
        )
        # The next value is near this one, so its search starts from this curve.
        theta[ends] = profile.theta
        return np.asarray(profile.misfit - allowed[ends])

    bounds = np.stack([np.broadcast_to(end, theta.shape)[rows, entry] for end in fit.shape.bounds(space)])[side, rows]
    ends = yield from search_end(excess, theta[rows, entry], 2.0 * side - 1.0, bounds)
    low, high = np.exp(ends).reshape(len(slopes), 2, count).transpose(1, 2, 0)
    return low, high


def search_end(excess: Excess, start: Float, sign: Float, bound: Float) -> Steps:
    """Return where (N,) the excess becomes positive, going from `start` (N,) in the direction of `sign` (N,).

    NaN where it is still negative at the `bound` (N,), or not a number.
    """
    inside, outside = start.copy(), np.full(start.size, np.nan)
    f_in, f_out = np.full(start.size, np.nan), np.full(start.size, np.nan)
    live, step = np.arange(start.size), _FIRST_STEP
    while live.size:
        value = inside[live] + sign[live] * step
        value = np.where(sign[live] > 0, np.minimum(value, bound[live]), np.maximum(value, bound[live]))
        f = yield from excess(live, value)
        left = f > 0
        outside[live[left]], f_out[live[left]] = value[left], f[left]
        inside[live[~left]], f_in[live[~left]] = value[~left], f[~left]
        # Growing steps reach a distant end in few polishes.
        live, step = live[~left & (value != bound[live]) & np.isfinite(f)], step * _STEP_GROWTH
    result = yield from _search_refined_end(excess, (inside, outside), (f_in, f_out))
    return result


def _search_refined_end(excess: Excess, ends: tuple[Float, Float], values: tuple[Float, Float]) -> Steps:
    """Return the root between both `ends` by the Illinois method (Dowell and Jarratt 1971); NaN where there is none."""
    (inside, outside), (f_in, f_out) = ends, values
    live = np.flatnonzero(np.isfinite(outside))
    unknown = live[~np.isfinite(f_in[live])]
    if unknown.size:
        f_in[unknown] = yield from excess(unknown, inside[unknown])
    for _ in range(_MAX_REFINEMENTS):
        live = live[np.abs(outside[live] - inside[live]) >= _BRACKET_WIDTH]
        if live.size == 0:
            break
        middle = _secant(inside[live], outside[live], f_in[live], f_out[live])
        f = yield from excess(live, middle)
        ins, out = live[f <= 0], live[f > 0]
        inside[ins], outside[out] = middle[f <= 0], middle[f > 0]
        # The value at the end that has not moved is halved, so that both ends approach the root.
        f_in[ins], f_out[ins] = f[f <= 0], f_out[ins] * 0.5
        f_out[out], f_in[out] = f[f > 0], f_in[out] * 0.5
    return _secant(inside, outside, f_in, f_out)


def _secant(a: Float, b: Float, fa: Float, fb: Float) -> Float:
    """Return where the line through both points is zero, at least a hundredth of their distance from either."""
    usable = fb > fa
    fraction = np.where(usable, np.clip(-fa / np.where(usable, fb - fa, 1.0), 0.01, 0.99), 0.5)
    return np.asarray(a + fraction * (b - a))
