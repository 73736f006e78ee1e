"""How sure: standard errors by the Jacobian, profile-likelihood intervals that may be open, bootstrap of dose means.

A profile interval of a location is where the best curve with that location fixed is not worse than allowed:
misfit <= best misfit + s^2 F(1, n - p; level) (Bates and Watts 1988). Where it does not end within the search space
(tested doses and a decade beyond) that side is open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit
from scipy.stats import f as f_distribution

from gandl_science.dose_response.models import LN10, Floats, Mask, Rows, SearchSpace, Shape
from gandl_science.dose_response.solver import DoseMeans, Solution, explained, polish

_FIRST_STEP = 0.05
_GROWTH = 1.6
FEWEST_WELLS = 3
"""That a bootstrap interval of a dose is given for."""
_TOLERANCE = 1e-3
_PROFILE_TOLERANCE = 1e-5
_PROFILE_STEPS = 20
_MAX_REFINE = 40


@dataclass(frozen=True)
class ShapeFit:
    """The best curves of one shape through B rows of data: what every statement of certainty is computed from."""

    data: DoseMeans
    shape: Shape
    space: SearchSpace
    best: Solution

    @property
    def freedom(self) -> Floats:
        """Residual degrees of freedom, (B,)."""
        return self.data.total_weight - self.shape.n_parameters

    @property
    def rss(self) -> Floats:
        """Weighted residual sum of squares, (B,)."""
        return self.best.misfit + self.data.pure

    @property
    def variance(self) -> Floats:
        """s^2 about the curve, (B,); NaN without degrees of freedom."""
        return np.where(self.freedom > 0.5, self.rss / np.where(self.freedom > 0.5, self.freedom, 1.0), np.nan)

    @property
    def at_bound(self) -> Mask:
        """Whether each theta (B, P) sits on its bound."""
        low, high = self.shape.bounds(self.space)
        return (self.best.theta <= low + 1e-9) | (self.best.theta >= high - 1e-9)

    @property
    def reported(self) -> Floats:
        """theta (B, P) as people read it: concentrations and slopes instead of their logarithms."""
        is_location = np.isin(np.arange(self.shape.n_theta), self.shape.locations)
        return np.where(is_location, 10.0 ** np.clip(self.best.theta, -300, 300), np.exp(self.best.theta))


def standard_errors(fit: ShapeFit) -> Floats:
    """SEs (B, P + 2) of (EC50s and slopes in the order of theta, bottom, top) by (J'J)^-1 s^2; NaN for one at its
    bound, and for all without residual degrees of freedom."""
    shape, theta = fit.shape, fit.best.theta
    h = shape.basis(fit.data.x, theta)
    amplitude = (fit.best.top - fit.best.bottom)[:, None, None]
    sides = [amplitude * shape.gradient(fit.data.x, theta), (1.0 - h)[:, None], h[:, None]]
    jacobian = np.concatenate(sides, axis=1) * np.sqrt(fit.data.weight)[:, None, :]
    free = np.ones(jacobian.shape[:2], dtype=bool)
    free[:, : shape.n_theta] = ~fit.at_bound
    jacobian = np.where(free[:, :, None], jacobian, 0.0)
    inverse = np.linalg.pinv(jacobian @ jacobian.swapaxes(1, 2), rcond=1e-14, hermitian=True)
    diagonal = np.maximum(np.diagonal(inverse, axis1=1, axis2=2), 0.0)
    errors = np.sqrt(diagonal * fit.variance[:, None])
    is_location = np.isin(np.arange(shape.n_theta), shape.locations)
    errors[:, : shape.n_theta] *= fit.reported * np.where(is_location, LN10, 1.0)
    return np.where(free, errors, np.nan)


def profile_interval(fit: ShapeFit, grid: Floats, which: int, level: float) -> tuple[Floats, Floats]:
    """Ends (B,), (B,) of the interval of location theta[which], in log10; NaN where a side is open (or nothing is
    known for want of degrees of freedom). Where the region is in pieces its outermost ends are taken.

    `grid` (G, P) covers the search space: it finds pieces that a march from the estimate would miss.
    """
    allowed = fit.best.misfit + fit.variance * f_distribution.ppf(level, 1, np.maximum(fit.freedom, 0.5))
    coarse = _coarse_profile(fit.data, fit.shape, grid, which)
    low, high = (_Side(fit, which, allowed, sign).end(coarse) for sign in (-1, 1))
    return low, high


@dataclass(frozen=True)
class _Coarse:
    """Smallest misfit (B, L) on the grid at each location level (L,), and the grid point (B, L, P) it is at."""

    levels: Floats
    misfit: Floats
    theta: Floats


def _coarse_profile(data: DoseMeans, shape: Shape, grid: Floats, which: int) -> _Coarse:
    misfit = data.between[:, None] - explained(data, shape.basis(data.x, grid))
    levels, position = np.unique(grid[:, which], return_inverse=True)
    at = [np.flatnonzero(position == k) for k in range(levels.size)]
    first = [points[misfit[:, points].argmin(axis=1)] for points in at]
    rows = np.arange(len(misfit))
    return _Coarse(
        levels, np.stack([misfit[rows, f] for f in first], axis=1), np.stack([grid[f] for f in first], axis=1)
    )


@dataclass(frozen=True)
class _Side:
    """The search for one end: `sign` -1 for the lower, 1 for the upper; `allowed` (B,) the largest misfit inside."""

    fit: ShapeFit
    which: int
    allowed: Floats
    sign: int

    def end(self, coarse: _Coarse) -> Floats:
        inside = self._outermost_inside(coarse)
        outside, outer_misfit, is_open = self._march(inside)
        answer = np.full(len(inside), np.nan)
        rows = np.flatnonzero(~is_open & np.isfinite(self.allowed))
        if rows.size:
            answer[rows] = self._refine(rows, inside[rows], outside[rows], outer_misfit[rows])
        return answer

    def _outermost_inside(self, coarse: _Coarse) -> Floats:
        """theta (B, P) of the farthest coarse level that is inside, or of the best curve."""
        best = self.fit.best
        beyond = (coarse.levels[None, :] - best.theta[:, [self.which]]) * self.sign
        inside = np.logical_and(coarse.misfit <= self.allowed[:, None], beyond > 0)
        farthest = np.where(inside, beyond, -np.inf).argmax(axis=1)
        found = np.asarray(inside.any(axis=1))
        return np.where(found[:, None], coarse.theta[np.arange(len(farthest)), farthest], best.theta)

    def _profile(self, rows: Rows, theta: Floats) -> Solution:
        data, fit = self.fit.data.take(rows), self.fit
        return polish(
            data,
            fit.shape,
            fit.space,
            theta,
            fixed=self.which,
            tolerance=_PROFILE_TOLERANCE,
            max_steps=_PROFILE_STEPS,
        )

    def _march(self, inside: Floats) -> tuple[Floats, Floats, Mask]:
        """Step outwards, `inside` following (in place), until outside (B,) with its misfit, or the bound: open."""
        limit = self.fit.space.low if self.sign < 0 else self.fit.space.high
        outside, outer = np.full(len(inside), np.nan), np.full(len(inside), np.nan)
        is_open = np.zeros(len(inside), dtype=bool)
        live, step = np.flatnonzero(np.isfinite(self.allowed)), _FIRST_STEP
        while live.size:
            value = np.clip(inside[live, self.which] + self.sign * step, self.fit.space.low, self.fit.space.high)
            trial = inside[live].copy()
            trial[:, self.which] = value
            there = self._profile(live, trial)
            left = there.misfit > self.allowed[live]
            outside[live[left]], outer[live[left]] = value[left], there.misfit[left]
            inside[live[~left]] = there.theta[~left]
            ended = ~left & (value == limit)
            is_open[live[ended]] = True
            live, step = live[~left & ~ended], step * _GROWTH
        return outside, outer, is_open

    def _refine(self, rows: Rows, inside: Floats, outside: Floats, outer: Floats) -> Floats:
        """Illinois regula falsi on the excess misfit, to a bracket of 1e-3 decades and a secant within."""
        ends = _Bracket(inside[:, self.which].copy(), outside.copy(), inside.copy())
        f_in = self._profile(rows, inside).misfit - self.allowed[rows]
        f_out = outer - self.allowed[rows]
        live = np.arange(rows.size)
        for _ in range(_MAX_REFINE):
            live = live[np.abs(ends.outside[live] - ends.inside[live]) >= _TOLERANCE]
            if live.size == 0:
                break
            middle = ends.secant(live, f_in, f_out)
            trial = ends.theta[live]
            trial[:, self.which] = middle
            there = self._profile(rows[live], trial)
            f = there.misfit - self.allowed[rows[live]]
            within = f <= 0
            ins, out = live[within], live[~within]
            ends.inside[ins], ends.theta[ins], ends.outside[out] = middle[within], there.theta[within], middle[~within]
            f_in[ins], f_out[ins] = f[within], f_out[ins] * 0.5
            f_out[out], f_in[out] = f[~within], f_in[out] * 0.5
        return ends.secant(np.arange(rows.size), f_in, f_out)


@dataclass(frozen=True)
class _Bracket:
    """Ends (N,), (N,) between which the interval ends, and the profile theta (N, P) at the inner one."""

    inside: Floats
    outside: Floats
    theta: Floats

    def secant(self, live: Rows, f_in: Floats, f_out: Floats) -> Floats:
        """Where the line through both ends is zero, kept off the ends by a hundredth of their distance."""
        a, b, fa, fb = self.inside[live], self.outside[live], f_in[live], f_out[live]
        part = np.clip(-fa / np.where(fb > fa, fb - fa, 1.0), 0.01, 0.99)
        return np.asarray(a + np.where(fb > fa, part, 0.5) * (b - a))


def bootstrap_means(
    wells: Floats, weights: Floats, n_samples: int, level: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Percentile interval (D,), (D,) of each dose's weighted mean, wells (D, R) drawn again within their dose.

    Wells come first along R, weight 0 after them. With m wells the spread of resampled means is short by
    sqrt((m - 1) / m), and percentiles are those of a normal distribution, not of Student's with m - 1 degrees of
    freedom: the interval is widened about the mean by both factors (Hesterberg 2015, "expanded percentile"). NaN with
    fewer than three wells: an interval from two that holds what it says is 13 times as wide as the wells are apart.
    """
    counts = (weights > 0).sum(axis=1)
    draw = (rng.random((n_samples, *wells.shape)) * counts[:, None]).astype(int)
    taken = np.arange(wells.shape[1]) < counts[:, None]
    w = np.take_along_axis(weights[None], draw, axis=2) * taken
    y = np.take_along_axis(wells[None], draw, axis=2)
    means = (w * y).sum(axis=2) / w.sum(axis=2)
    centre = (weights * wells).sum(axis=1) / weights.sum(axis=1)
    tail = (1.0 - level) / 2
    freedom = np.maximum(counts - 1, 1)
    widen = np.sqrt(counts / freedom) * stdtrit(freedom, tail) / ndtri(tail)
    ends = centre + (np.quantile(means, [tail, 1 - tail], axis=0) - centre) * widen
    low, high = np.where(counts >= FEWEST_WELLS, ends, np.nan)
    return low, high
