"""The certainty of a fit: standard errors and profile-likelihood intervals, which may be open.

The profile interval of a location holds the values for which the best curve with that location fixed is not worse than
allowed: misfit <= best misfit + s^2 F(1, n - p; confidence) (Bates and Watts 1988, chapter 6). Where the interval does
not end within the search space (the tested doses and a decade beyond) that side is open.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.intervals.lockstep import ProfileRequest, Search, Steps, run_together
from gandl_science.dose_response.models import LN10, VEHICLE, SearchSpace, Shape
from gandl_science.dose_response.solver.grids import grid_batches, search_grids
from gandl_science.dose_response.solver.means import DoseMeans, explained, plateaus
from gandl_science.dose_response.solver.polish import Solution

_FIRST_STEP, _STEP_GROWTH = 0.05, 1.6
"""The march to the end of an interval starts with a step of 0.05 decades; each further step is 1.6 times as long."""
_BRACKET_WIDTH = 1e-3
"""The end of an interval is bracketed to this many decades (a quarter of a percent) before the last interpolation."""
_MAX_PROFILE_STEPS = 20
_MAX_REFINEMENTS = 40
_SURE_ERROR = 0.4
"""The error of a bound relative to that of an interval: 2 % instead of 5 % for both ends, 1 % for one."""
_MIN_CHANGE, _MIN_PART = 1e-7, 1e-3
"""Below this change of the responses relative to the largest one a direction has none; a parameter with less than this
part in it is not meant."""
_STEP_OFFSET, _STEP_LOG_SLOPE = 1e-3, float(np.log(1e6))
"""A step lies this far below a dose, in decades, and is so steep that this dose has its whole effect."""


@dataclass(frozen=True, kw_only=True)
class ShapeFit:
    """The best curves of one shape through B rows of data, from which all intervals and errors are computed."""

    data: DoseMeans
    shape: Shape
    space: SearchSpace
    best: Solution

    @property
    def residual_df(self) -> Float:
        """The residual degrees of freedom, (B,)."""
        return self.data.total_weight - self.shape.n_parameters

    @property
    def rss(self) -> Float:
        """The weighted residual sum of squares, (B,)."""
        return self.best.misfit + self.data.pure

    @property
    def variance(self) -> Float:
        """The residual variance s^2, (B,); NaN without degrees of freedom."""
        return np.where(
            self.residual_df > 0.5, self.rss / np.where(self.residual_df > 0.5, self.residual_df, 1.0), np.nan
        )

    @property
    def at_bound(self) -> Mask:
        """True for each theta (B, P) that is at its bound."""
        low, high = self.shape.bounds(self.space)
        return (self.best.theta <= low + 1e-9) | (self.best.theta >= high - 1e-9)

    @property
    def natural_theta(self) -> Float:
        """theta (B, P) as concentrations and slopes instead of their logarithms."""
        return np.where(self.shape.is_location, 10.0 ** np.clip(self.best.theta, -300, 300), np.exp(self.best.theta))


def covariances(fit: ShapeFit) -> Float:
    """Return the linear covariance (B, P + 2, P + 2) of theta, bottom and top: (J'J)^-1 s^2.

    theta is as it is searched, in log10 EC50 and ln slope. A parameter at its bound is a constant, with a row and a
    column of NaN; so are all without residual degrees of freedom. Where J has no full rank, directions without effect
    are left out: the matrix serves for responses, and `standard_errors` says which parameters it does not describe.
    """
    jacobian, free = _jacobian(fit)
    inverse = np.linalg.pinv(jacobian @ jacobian.swapaxes(1, 2), rcond=1e-14, hermitian=True)
    return np.where(free[:, :, None] & free[:, None, :], inverse * fit.variance[:, None, None], np.nan)


def standard_errors(fit: ShapeFit) -> Float:
    """Return standard errors (B, P + 2) of EC50s and slopes in the order of theta, bottom, and top.

    A parameter at its bound has NaN; so have all without residual degrees of freedom, and those that may be changed
    together without any change of the curve at the doses.
    """
    errors = np.sqrt(np.maximum(np.diagonal(covariances(fit), axis1=1, axis2=2), 0.0))
    # From the logarithm to the quantity itself by the delta method: d(10^u) = 10^u ln 10 du, d(e^u) = e^u du.
    errors[:, : fit.shape.n_theta] *= fit.natural_theta * np.where(fit.shape.is_location, LN10, 1.0)
    return np.where(_is_undetermined(fit), np.nan, errors)


def _jacobian(fit: ShapeFit) -> tuple[Float, Mask]:
    """Return the weighted changes (B, P + 2, D) of the responses with each parameter, and which (B, P + 2) are free."""
    shape, theta = fit.shape, fit.best.theta
    h = shape.basis(fit.data.x, theta)
    amplitude = (fit.best.top - fit.best.bottom)[:, None, None]
    columns = [amplitude * shape.gradient(fit.data.x, theta), (1.0 - h)[:, None], h[:, None]]
    jacobian = np.concatenate(columns, axis=1) * np.sqrt(fit.data.weight)[:, None, :]
    # A parameter at its bound is a constant for the others, so its column is removed before the inversion.
    free = np.ones(jacobian.shape[:2], dtype=bool)
    free[:, : shape.n_theta] = ~fit.at_bound
    return np.where(free[:, :, None], jacobian, 0.0), free


def _is_undetermined(fit: ShapeFit) -> Mask:
    """Return which parameters (B, P + 2) take part in a direction that changes no response.

    A curve of as many parameters as doses that cannot pass through their means ends at such a point. The generalised
    inverse drops that direction, and would give these parameters small errors instead of infinite ones.
    """
    jacobian, free = _jacobian(fit)
    size = np.linalg.norm(jacobian, axis=2, keepdims=True)
    unit = jacobian / np.where(size > 0, size, 1.0)
    gram = unit @ unit.swapaxes(1, 2) + np.where(free, 0.0, 1.0)[:, :, None] * np.eye(free.shape[1])
    squares, directions = np.linalg.eigh(gram)
    no_effect = squares < _MIN_CHANGE**2 * squares[:, -1:]
    return np.asarray(((np.abs(directions) > _MIN_PART) & no_effect[:, None, :]).any(axis=2))


def profile_intervals(fit: ShapeFit, confidence: float) -> tuple[Float, Float]:
    """Return the ends (B, L), (B, L) of the profile intervals of the L locations; see `_search_ends`."""
    low, high = run_together([_search_ends(fit, confidence)], fit.shape)[0]
    return low, high


def search_locations(fit: ShapeFit, confidence: float) -> Search:
    """Return the ends (B, L), (B, L) of the intervals of the L locations, and their sure bounds (B, L), (B, L)."""
    low, high = yield from _search_ends(fit, confidence)
    above, below = yield from _search_sure_bounds(fit, low, high, confidence)
    return low, high, above, below


def _search_ends(fit: ShapeFit, confidence: float) -> Search:
    """Return the ends (B, L), (B, L) of the profile intervals of the L locations; NaN is open, or without a variance.

    The interval may consist of several pieces, as profiles of dose-response curves do; then its outermost ends are
    taken. The grid of the search space shows pieces that a march from the estimate would miss. A curve may be steeper
    than any that is searched, so the interval holds steps between two doses too.
    """
    # The F quantile needs some degrees of freedom; without any, the variance is NaN and so is the limit.
    quantile = fdtri(1, np.maximum(fit.residual_df, 0.5), confidence)
    allowed = fit.best.misfit + fit.variance * quantile
    theta = _outermost_inside(fit, allowed)
    count, n_locations = len(allowed), len(fit.shape.locations)
    location, side, curve = (index.ravel() for index in np.indices((n_locations, 2, count)))
    ends = _IntervalEnds(
        data=fit.data.take(curve),
        shape=fit.shape,
        space=fit.space.take(curve),
        location=np.array(fit.shape.locations)[location],
        allowed=allowed[curve],
        sign=2.0 * side - 1.0,
    )
    values = yield from ends.of(theta.reshape(-1, fit.shape.n_theta))
    low, high = values.reshape(n_locations, 2, count).transpose(1, 2, 0)
    for i, k in enumerate(fit.shape.locations):
        low[:, i], high[:, i] = _widen_to_steps(fit, k, allowed, low[:, i], high[:, i])
    return low, high


def sure_confidence(confidence: float) -> float:
    """Return the level of the interval whose ends are told as bounds, for intervals of this level."""
    return 1.0 - _SURE_ERROR * (1.0 - confidence)


def _search_sure_bounds(fit: ShapeFit, low: Float, high: Float, confidence: float) -> Search:
    """Return the bounds (B, L), (B, L) of the L locations that are told where a side of an interval is open.

    `low` and `high` are the ends of the profile intervals. A bound is told of the curves whose other side is open, and
    these are not any curves: where the truth is well within the doses, a side is open because the noise has bent the
    curve, and then the other end is often wrong too. At the level of the interval a tenth of such bounds is false; the
    error of an end is 0.4 times as large here. NaN where the bound is open too, and where both sides are closed and the
    estimate is within the tested doses.
    """
    locations = fit.best.theta[:, list(fit.shape.locations)]
    tested = np.where(np.broadcast_to(fit.data.x, fit.data.mean.shape) > VEHICLE, fit.data.x, np.nan)
    ends = (np.nanmin(tested, axis=1)[:, None], np.nanmax(tested, axis=1)[:, None])
    is_told = ~np.isfinite(low) | ~np.isfinite(high) | (locations < ends[0]) | (locations > ends[1])
    curves = np.flatnonzero(is_told.any(axis=1))
    above, below = np.full(low.shape, np.nan), np.full(low.shape, np.nan)
    if curves.size:
        some = ShapeFit(
            data=fit.data.take(curves), shape=fit.shape, space=fit.space.take(curves), best=fit.best.take(curves)
        )
        above[curves], below[curves] = yield from _search_ends(some, sure_confidence(confidence))
    return above, below


def _widen_to_steps(fit: ShapeFit, location: int, allowed: Float, low: Float, high: Float) -> tuple[Float, Float]:
    """Return the ends (B,), (B,) of the intervals with all gaps between two doses in which a step is allowed.

    A step fits equally well wherever it is between two doses. Growth that is there up to one dose and gone from the
    next one on says no more about the EC50; the bound of the slope alone would.
    """
    slope = fit.shape.n_theta // 2 + location
    x = np.broadcast_to(fit.data.x, fit.data.mean.shape)
    for left, right in zip(x.T[:-1], x.T[1:], strict=True):
        theta = fit.best.theta.copy()
        theta[:, location], theta[:, slope] = right - _STEP_OFFSET, _STEP_LOG_SLOPE
        residual = plateaus(fit.data, fit.shape.basis(x, theta))[2]
        fits = (fit.data.weight * residual**2).sum(axis=1) <= allowed
        # Between vehicle and the lowest dose there is no lower end.
        low = np.where(fits, np.where(left > VEHICLE, np.minimum(low, left), np.nan), low)
        high = np.where(fits, np.maximum(high, right), high)
    return low, high


def _outermost_inside(fit: ShapeFit, allowed: Float) -> Float:
    """Return theta (L, 2, B, P) of the lowest and the highest value of each location on the grid that is inside.

    It is that of the best curve where no grid point is farther out.
    """
    locations, best = fit.shape.locations, fit.best.theta
    theta = np.broadcast_to(best, (len(locations), 2, *best.shape)).copy()
    for batch in grid_batches(fit.shape, fit.data.x, fit.space, len(best)):
        rows, grids = batch.curves, search_grids(fit.shape, batch)
        data = fit.data.take(rows)
        # The grid points with one value of the location are a coarse profile, without any optimisation.
        misfit = data.between[:, None] - explained(data, grids.basis)
        inside = misfit <= allowed[rows, None]
        for i, location in enumerate(locations):
            value = np.repeat(grids.location(location), batch.members.shape[1], axis=0)
            for side, sign in enumerate((-1, 1)):
                # A second region inside the limit, beyond a gap, counts to the interval.
                beyond = np.where(inside, sign * value, -np.inf)
                outermost = beyond.max(axis=1)
                point = np.where(beyond == outermost[:, None], misfit, np.inf).argmin(axis=1)
                farther = np.flatnonzero(outermost > sign * (best[rows, location] - batch.low.reshape(-1)))
                theta[i, side, rows[farther]] = grids.theta(farther, point[farther])
    return theta


@dataclass(frozen=True, kw_only=True)
class _IntervalEnds:
    """The search for N ends: of which location (N,), on which side (N,), -1 the lower and 1 the upper one.

    `allowed` (N,) is the largest misfit inside. All ends of all curves are searched at once.
    """

    data: DoseMeans
    shape: Shape
    space: SearchSpace
    location: Index
    allowed: Float
    sign: Float

    @property
    def bound(self) -> Float:
        """The bound of the search space (N,) on that side."""
        return np.where(self.sign < 0, self.space.low, self.space.high)

    def of(self, inside: Float) -> Steps:
        """Return the ends (N,) beyond theta (N, P), which is inside; NaN where the side is open."""
        outside, outer_misfit, is_open = yield from self._march(inside)
        ends = np.full(len(inside), np.nan)
        closed = np.flatnonzero(~is_open & np.isfinite(self.allowed))
        if closed.size:
            ends[closed] = yield from self._refine(closed, inside[closed], outside[closed], outer_misfit[closed])
        return ends

    def _profile(self, rows: Index, theta: Float) -> ProfileRequest:
        """Ask for the best curves with the location fixed at its value in theta."""
        return ProfileRequest(
            data=self.data.take(rows),
            space=self.space.take(rows),
            start=theta,
            fixed=self.location[rows],
            max_steps=_MAX_PROFILE_STEPS,
        )

    def _march(self, inside: Float) -> Generator[ProfileRequest, Solution, tuple[Float, Float, Mask]]:
        """Step outwards until outside, and return that value (N,), its misfit (N,), and where the side is open (N,).

        `inside` (N, P) follows in place. A side is open where the bound of the search space is still inside.
        """
        bound = self.bound
        outside, outer = np.full(len(inside), np.nan), np.full(len(inside), np.nan)
        is_open = np.zeros(len(inside), dtype=bool)
        live, step = np.flatnonzero(np.isfinite(self.allowed)), _FIRST_STEP
        while live.size:
            sign, location = self.sign[live], self.location[live]
            value = sign * np.minimum(sign * inside[live, location] + step, sign * bound[live])
            trial = inside[live]
            trial[np.arange(live.size), location] = value
            # Each step starts from the curve of the step before, which differs little.
            profile = yield self._profile(live, trial)
            left = profile.misfit > self.allowed[live]
            outside[live[left]], outer[live[left]] = value[left], profile.misfit[left]
            inside[live[~left]] = profile.theta[~left]
            ended = ~left & (value == bound[live])
            is_open[live[ended]] = True
            # Growing steps reach a distant end in few polishes.
            live, step = live[~left & ~ended], step * _STEP_GROWTH
        return outside, outer, is_open

    def _refine(self, curves: Index, inside: Float, outside: Float, outer: Float) -> Steps:
        """Find the end by the Illinois method (Dowell and Jarratt 1971) to a narrow bracket, and interpolate within."""
        location = self.location[curves]
        start = inside[np.arange(curves.size), location]
        ends = _Bracket(inside=start, outside=outside.copy(), theta=inside.copy())
        first = yield self._profile(curves, inside)
        f_in = first.misfit - self.allowed[curves]
        f_out = outer - self.allowed[curves]
        live = np.arange(curves.size)
        for _ in range(_MAX_REFINEMENTS):
            live = live[np.abs(ends.outside[live] - ends.inside[live]) >= _BRACKET_WIDTH]
            if live.size == 0:
                break
            middle = ends.secant(live, f_in, f_out)
            trial = ends.theta[live]
            trial[np.arange(live.size), location[live]] = middle
            profile = yield self._profile(curves[live], trial)
            f = profile.misfit - self.allowed[curves[live]]
            within = f <= 0
            ins, out = live[within], live[~within]
            ends.inside[ins], ends.outside[out] = middle[within], middle[~within]
            ends.theta[ins] = profile.theta[within]
            # The value at the end that has not moved is halved, so that both ends approach the root.
            f_in[ins], f_out[ins] = f[within], f_out[ins] * 0.5
            f_out[out], f_in[out] = f[~within], f_in[out] * 0.5
        return ends.secant(np.arange(curves.size), f_in, f_out)


@dataclass(frozen=True, kw_only=True)
class _Bracket:
    """The values (N,), (N,) between which the intervals end, and the profile theta (N, P) at the inner one."""

    inside: Float
    outside: Float
    theta: Float

    def secant(self, live: Index, f_in: Float, f_out: Float) -> Float:
        """Return where the line through both ends is zero, at least a hundredth of their distance from either."""
        a, b, fa, fb = self.inside[live], self.outside[live], f_in[live], f_out[live]
        # A step to the very end of the bracket would not shrink it.
        fraction = np.clip(-fa / np.where(fb > fa, fb - fa, 1.0), 0.01, 0.99)
        return np.asarray(a + np.where(fb > fa, fraction, 0.5) * (b - a))
