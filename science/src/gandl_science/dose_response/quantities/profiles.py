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
from gandl_science.dose_response.intervals import ShapeFit
from gandl_science.dose_response.solver import polish

Excess = Callable[[Index, Float], Float]
"""Return the excess (N,) of the curves at these indices (N,) where their quantity has the values (N,)."""
_FIRST_STEP, _STEP_GROWTH = 0.05, 1.7
"""The first step of the march and the growth of the next ones, in decades or units of ln slope."""
_BRACKET_WIDTH, _MAX_REFINEMENTS = 2e-3, 40
_PROFILE_TOLERANCE, _MAX_PROFILE_STEPS = 1e-5, 20
"""The criterion of a polish on the way: an end of an interval needs fewer digits than the estimate."""


def allowed_misfit(fit: ShapeFit, confidence: float) -> Float:
    """Return the largest misfit (B,) inside an interval; NaN without residual degrees of freedom."""
    quantile = fdtri(1, np.maximum(fit.residual_df, 0.5), confidence)
    return np.asarray(fit.best.misfit + fit.variance * quantile)


def slope_interval(fit: ShapeFit, index: int, confidence: float) -> tuple[Float, Float]:
    """Return the ends (B,), (B,) of the interval of the slope theta[index], as slopes; NaN is an open side.

    A side is open where the bound of the slopes is still inside.
    """
    allowed, theta = allowed_misfit(fit, confidence), fit.best.theta.copy()

    def excess(curves: Index, values: Float) -> Float:
        trial = theta[curves]
        trial[:, index] = values
        profile = polish(
            fit.data.take(curves),
            fit.shape,
            fit.space.take(curves),
            trial,
            fixed=index,
            tolerance=_PROFILE_TOLERANCE,
            max_steps=_MAX_PROFILE_STEPS,
        )
        # The next value is near this one, so its search starts from this curve.
        theta[curves] = profile.theta
        return np.asarray(profile.misfit - allowed[curves])

    ends = []
    for sign, bounds in zip((-1, 1), fit.shape.bounds(fit.space), strict=True):
        theta[:] = fit.best.theta
        bound = np.broadcast_to(bounds, theta.shape)[:, index]
        ends.append(interval_end(excess, fit.best.theta[:, index], sign, bound))
    return np.exp(ends[0]), np.exp(ends[1])


def interval_end(excess: Excess, start: Float, sign: int, bound: Float) -> Float:
    """Return where (B,) the excess becomes positive, going from `start` (B,) in the direction of `sign`.

    NaN where it is still negative at the `bound` (B,), or not a number.
    """
    inside, outside = start.copy(), np.full(start.size, np.nan)
    f_in, f_out = np.full(start.size, np.nan), np.full(start.size, np.nan)
    live, step = np.arange(start.size), _FIRST_STEP
    while live.size:
        value = inside[live] + sign * step
        value = np.minimum(value, bound[live]) if sign > 0 else np.maximum(value, bound[live])
        f = excess(live, value)
        left = f > 0
        outside[live[left]], f_out[live[left]] = value[left], f[left]
        inside[live[~left]], f_in[live[~left]] = value[~left], f[~left]
        # Growing steps reach a distant end in few polishes.
        live, step = live[~left & (value != bound[live]) & np.isfinite(f)], step * _STEP_GROWTH
    return _refined_end(excess, (inside, outside), (f_in, f_out))


def _refined_end(excess: Excess, ends: tuple[Float, Float], values: tuple[Float, Float]) -> Float:
    """Return the root between both `ends` by the Illinois method (Dowell and Jarratt 1971); NaN where there is none."""
    (inside, outside), (f_in, f_out) = ends, values
    live = np.flatnonzero(np.isfinite(outside))
    unknown = live[~np.isfinite(f_in[live])]
    f_in[unknown] = excess(unknown, inside[unknown])
    for _ in range(_MAX_REFINEMENTS):
        live = live[np.abs(outside[live] - inside[live]) >= _BRACKET_WIDTH]
        if live.size == 0:
            break
        middle = _secant(inside[live], outside[live], f_in[live], f_out[live])
        f = excess(live, middle)
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
