"""The absolute EC50: the lowest dose at which a curve reaches a level of response, with its profile interval.

The relative EC50 is half-way between the plateaus of the curve itself; the absolute one is where the curve crosses a
level that does not depend on it, such as the midpoint of the controls. Its profile needs the best curve through a point
(dose, level): one more dose with a very large weight is that constraint. Where the level has an error of its own,
because the controls that define it are means of wells, the weight of the point is s^2 / SE^2 instead. The level is then
a further parameter with this error, whose best value is inserted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.intervals.locations import ShapeFit
from gandl_science.dose_response.intervals.lockstep import ProfileRequest, Search, Steps
from gandl_science.dose_response.quantities.profiles import allowed_misfit, search_end
from gandl_science.dose_response.solver.means import DoseMeans

_FIRM = 1e6
"""The weight of a point that the curve must pass through, relative to that of all wells."""
_SAMPLES = 301
_BISECTIONS = 40
_MAX_PROFILE_STEPS = 30


def search_crossings(
    fit: ShapeFit, level: float, level_variance: Float, *, direction: float | None, confidence: float
) -> Search:
    """Return estimate and interval (B,) of the log10 dose at which the curves reach `level`, NaN where there is none.

    An infinite `low` or `high` says that the curve certainly does not reach the level in the search space, or that it
    is certainly beyond the level everywhere in it. `level_variance` (B,) is the sampling variance of the level.
    `direction` (1 up, -1 down) is that in which the level is to be crossed; None: away from the left plateau. A curve
    that is beyond the level from the left end of the search space on has the crossing below that end.
    """
    count, allowed = len(fit.best.theta), allowed_misfit(fit, confidence)
    search = _Search(
        fit=fit, level=level, level_variance=level_variance, allowed=allowed, theta=np.tile(fit.best.theta, (2, 1))
    )
    first, last = (np.broadcast_to(end, level_variance.shape) for end in (fit.space.low, fit.space.high))
    # The doses of each curve are sampled, because curves may have doses of their own.
    x = first[:, None] + (last - first)[:, None] * np.linspace(0.0, 1.0, _SAMPLES)
    height = _height(fit, x, level, direction)
    crosses = (height[:, :-1] < 0) & (height[:, 1:] >= 0)
    starts_beyond = height[:, 0] >= 0
    crosses[starts_beyond] = False
    estimate = _bisected(fit, x, crosses, level)
    # Without a crossing, the interval holds the doses at which the curve could reach the level after all.
    nearest = np.where(starts_beyond, first, x[np.arange(len(x)), height.argmax(axis=1)])
    start = np.where(np.isfinite(estimate), estimate, nearest)
    uncrossed = np.flatnonzero(~np.isfinite(estimate))
    certain = np.zeros(count, dtype=bool)
    if uncrossed.size:
        excess = yield from search.excess(uncrossed, start[uncrossed])
        certain[uncrossed] = excess > 0
        search.theta[:] = np.tile(fit.best.theta, (2, 1))
    ends = yield from search_end(
        search.excess, np.tile(start, 2), np.repeat([-1.0, 1.0], count), np.concatenate([first, last])
    )
    low, high = ends.reshape(2, count)
    crossed = np.isfinite(estimate)
    low = np.where(crossed, low, np.where(starts_beyond, np.nan, np.where(certain, np.inf, low)))
    high = np.where(crossed, high, np.where(~starts_beyond, np.nan, np.where(certain, -np.inf, high)))
    unusable = ~np.isfinite(allowed)
    low[unusable], high[unusable] = np.nan, np.nan
    return estimate, low, high


def _height(fit: ShapeFit, x: Float, level: float, direction: float | None) -> Float:
    """Return how far (B, G) the curves are beyond the level at x (B, G), in the direction of the crossing."""
    best = fit.best
    response = best.bottom[:, None] + (best.top - best.bottom)[:, None] * fit.shape.basis(x, best.theta)
    if direction is None:
        # The level is crossed on the way from the left plateau, whichever way that is.
        return np.asarray((response - level) * np.where(best.bottom < level, 1.0, -1.0)[:, None])
    return np.asarray((response - level) * direction)


def _bisected(fit: ShapeFit, x: Float, crosses: Mask, level: float) -> Float:
    """Return the first crossing (B,) to the last digit, NaN where there is none."""
    rows, first = np.arange(len(x)), crosses.argmax(axis=1)
    low, high = x[rows, first], x[rows, first + 1]
    best = fit.best

    def response(at: Float) -> Float:
        basis = fit.shape.basis(at[:, None], best.theta)[:, 0]
        return np.asarray(best.bottom + (best.top - best.bottom) * basis)

    rises = response(high) >= response(low)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        before = np.where(rises, response(middle) < level, response(middle) > level)
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return np.where(crosses.any(axis=1), (low + high) / 2, np.nan)


@dataclass(frozen=True, kw_only=True)
class _Search:
    """The profile of the dose at which a curve has the level, for the lower (B) and then the upper ends (B).

    `theta` (2B, P) follows the curves of the profile.
    """

    fit: ShapeFit
    level: float
    level_variance: Float
    allowed: Float
    theta: Float

    def excess(self, ends: Index, x: Float) -> Steps:
        """Return the misfit of the best curves through (x, level) (N,), beyond the largest one inside."""
        curves = ends % len(self.allowed)
        profile = yield ProfileRequest(
            data=self._pinned(curves, x),
            space=self.fit.space.take(curves),
            start=self.theta[ends],
            max_steps=_MAX_PROFILE_STEPS,
        )
        # The next point is near this one, so its search starts from this curve.
        self.theta[ends] = profile.theta
        return np.asarray(profile.misfit - self.allowed[curves])

    def _pinned(self, curves: Index, x: Float) -> DoseMeans:
        data, variance = self.fit.data.take(curves), self.fit.variance[curves]
        error = self.level_variance[curves] / np.maximum(variance, 1e-300)
        weight = 1.0 / (1.0 / (_FIRM * data.total_weight) + error)
        doses = np.broadcast_to(data.x, data.weight.shape)
        return DoseMeans(
            np.column_stack([doses, x]),
            np.column_stack([data.weight, weight]),
            np.column_stack([data.mean, np.full(x.size, self.level)]),
            data.pure,
        )
