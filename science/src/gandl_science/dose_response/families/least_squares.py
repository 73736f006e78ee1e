"""Bounded least squares of one curve: multistart, standard errors and the profile interval of its EC50.

A vector holds theta (see `shapes`), then bottom and top. Responses are scaled to their spread while they are fitted, so
that tolerances mean the same in every unit. The solver is that of scipy (trust region reflective, Branch, Coleman and
Li 1999).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy
from scipy.special import fdtri

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.families.shapes import FamilyShape

_LOCATIONS_PER_DECADE, _SLOPES = 5, 6
_STARTS = 6
_TOLERANCE, _PROFILE_TOLERANCE = 1e-12, 1e-8
"""The tolerances of an estimate, and of the fits on the way to the end of an interval."""
_AT_BOUND = 1e-5
"""A parameter this close to its bound, as a share of the distance between the bounds, is at it."""
_FIRST_STEP, _STEP_GROWTH = 0.05, 1.6
"""The march to the end of an interval starts with a step of 0.05 decades; each further step is 1.6 times as long."""
_SINGULAR = 1e-12
_DIFFERENCE = 1e-5
"""The step of central differences in log10 EC50 and the logarithms of slope and form."""


@dataclass(frozen=True, kw_only=True)
class PlateauPrior:
    """What other curves say about shared plateaus: the rows root (K, 2) @ (bottom, top) - offset (K,).

    Their squares are added to the misfit.
    """

    root: Float
    offset: Float


@dataclass(frozen=True, kw_only=True)
class CurveProblem:
    """One curve through dose means: x, mean, weight (D,); bounds low and high (P + 2,), equal where fixed."""

    x: Float
    mean: Float
    weight: Float
    shape: FamilyShape
    direction: float
    low: Float
    high: Float
    prior: PlateauPrior | None = None

    @property
    def free(self) -> Mask:
        """True for the entries that are estimated (P + 2,)."""
        return np.asarray(self.high > self.low)

    def predict(self, vector: Float) -> Float:
        """Return the curve (D,)."""
        share = self.shape.share(self.x, vector[:-2], self.direction)
        return np.asarray(vector[-2] + (vector[-1] - vector[-2]) * share)

    def residuals(self, vector: Float) -> Float:
        """Return the weighted residuals, with those of the prior after them."""
        own = np.sqrt(self.weight) * (self.predict(vector) - self.mean)
        if self.prior is None:
            return np.asarray(own)
        return np.concatenate([own, self.prior.root @ vector[-2:] - self.prior.offset])

    def misfit(self, vector: Float) -> float:
        """Return the sum of squares of the residuals of the dose means, without the prior."""
        return float((self.weight * (self.predict(vector) - self.mean) ** 2).sum())

    def fixed(self, index: int, value: float) -> CurveProblem:
        """Return the problem with one entry fixed."""
        low, high = self.low.copy(), self.high.copy()
        low[index] = high[index] = value
        return replace(self, low=low, high=high)

    def jacobian(self, vector: Float, entries: Index) -> Float:
        """Return the derivatives of the residuals by these entries of the vector; by central differences for theta."""
        n_theta, root = self.shape.n_theta, np.sqrt(self.weight)
        theta, amplitude = vector[:n_theta], vector[-1] - vector[-2]
        inner = entries[entries < n_theta]
        steps = np.zeros((inner.size, n_theta))
        steps[np.arange(inner.size), inner] = _DIFFERENCE
        # One call for all shares: that of the curve itself, then those on both sides of each entry.
        shares = self.shape.share(self.x, np.concatenate([theta[None], theta + steps, theta - steps]), self.direction)
        by_theta = amplitude * (shares[1 : inner.size + 1] - shares[inner.size + 1 :]) / (2 * _DIFFERENCE)
        full = np.zeros((vector.size, self.x.size))
        full[inner], full[-2], full[-1] = by_theta, 1.0 - shares[0], shares[0]
        own = (full[entries] * root).T
        if self.prior is None:
            return np.asarray(own)
        by_plateau = np.zeros((self.prior.offset.size, vector.size))
        by_plateau[:, -2:] = self.prior.root
        return np.concatenate([own, by_plateau[:, entries]])


@dataclass(frozen=True, kw_only=True)
class CurveOptimum:
    """The best vector of a problem, its cost (with the prior) and which entries are at a bound (P + 2,)."""

    problem: CurveProblem
    vector: Float
    cost: float
    at_bound: Mask

    @property
    def is_upright(self) -> bool:
        """True if the bottom is not above the top."""
        return bool(self.vector[-2] <= self.vector[-1])

    def covariance(self, variance: float) -> Float:
        """Return the covariance (P + 2, P + 2), (J'J)^-1 s^2; NaN for entries that are fixed or at their bound."""
        free = self.problem.free
        inner = free & ~self.at_bound
        result = np.full((free.size, free.size), np.nan)
        if not inner.any():
            return result
        jacobian = self.problem.jacobian(self.vector, np.flatnonzero(inner))
        information = jacobian.T @ jacobian
        scale = np.sqrt(np.diag(information))
        if np.all(scale > 0):
            unit = information / np.outer(scale, scale)
            # A direction that the data do not determine has no standard error.
            if np.linalg.eigvalsh(unit)[0] > _SINGULAR:
                result[np.ix_(inner, inner)] = variance * np.linalg.inv(unit) / np.outer(scale, scale)
        return result


def solve_curve(problem: CurveProblem, starts: Float | None = None, tolerance: float = _TOLERANCE) -> CurveOptimum:
    """Return the best of several bounded polishes, from `starts` (S, P + 2) or the best points of a grid."""
    free = problem.free
    starts = _grid_starts(problem) if starts is None else starts
    vectors = [_polish(problem, np.clip(start, problem.low, problem.high), free, tolerance) for start in starts]
    costs = [float((problem.residuals(vector) ** 2).sum()) for vector in vectors]
    # A curve whose bottom is above its top goes the other way, which is a problem of its own.
    order = sorted(range(len(vectors)), key=lambda k: (bool(vectors[k][-2] > vectors[k][-1]), costs[k]))
    cost, vector = costs[order[0]], vectors[order[0]]
    span = np.where(np.isfinite(problem.high - problem.low), problem.high - problem.low, 1.0)
    near = (vector - problem.low < _AT_BOUND * span) | (problem.high - vector < _AT_BOUND * span)
    return CurveOptimum(problem=problem, vector=vector, cost=cost, at_bound=near & free)


def _polish(problem: CurveProblem, start: Float, free: Mask, tolerance: float) -> Float:
    if not free.any():
        return start

    entries = np.flatnonzero(free)

    def full(part: Float) -> Float:
        vector = start.copy()
        vector[free] = part
        return vector

    def residuals(part: Float) -> Float:
        return problem.residuals(full(part))

    def jacobian(part: Float) -> Float:
        return problem.jacobian(full(part), entries)

    low, high = problem.low[free], problem.high[free]
    span = np.where(np.isfinite(high - low), high - low, 1.0)
    # The solver needs a start inside of the bounds.
    inside = np.clip(start[free], low + 1e-3 * span, high - 1e-3 * span)
    solution = scipy.optimize.least_squares(
        residuals,
        inside,
        bounds=(low, high),
        jac=jacobian,
        xtol=tolerance,
        ftol=tolerance,
        gtol=tolerance,
        max_nfev=400,
    )
    return full(np.asarray(solution.x))


def _grid_starts(problem: CurveProblem) -> Float:
    """Return the grid points (S, P + 2) of the least misfit, with their best plateaus within the bounds."""
    n_theta = problem.shape.n_theta
    low, high = problem.low[:n_theta], problem.high[:n_theta]
    axes = [
        np.linspace(low[0], high[0], max(8, round(_LOCATIONS_PER_DECADE * (high[0] - low[0])) + 1)),
        np.linspace(low[1], high[1], _SLOPES),
    ]
    if n_theta > 2:
        axes.append(np.log(np.array(problem.shape.extra_starts)))
    # A fixed parameter has one value only.
    axes = [axis[:1] if a == b else axis for axis, a, b in zip(axes, low, high, strict=True)]
    theta = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, n_theta)
    share = problem.shape.share(problem.x, theta, problem.direction)
    vectors = np.column_stack([theta, _best_plateaus(problem, share)])
    curve = vectors[:, -2, None] + (vectors[:, -1] - vectors[:, -2])[:, None] * share
    misfit = (problem.weight * (curve - problem.mean) ** 2).sum(axis=1)
    if problem.prior is not None:
        misfit = misfit + ((vectors[:, -2:] @ problem.prior.root.T - problem.prior.offset) ** 2).sum(axis=1)
    return _distinct(vectors, np.where(vectors[:, -2] <= vectors[:, -1], misfit, np.inf), n_theta)


def _distinct(vectors: Float, misfit: Float, n_theta: int) -> Float:
    """Return the best starts, no two of them neighbours in location and slope unless the extra parameter differs."""
    starts: list[Float] = []
    for index in np.argsort(misfit, kind="stable"):
        vector = vectors[index]
        near = [np.abs(vector[:n_theta] - other[:n_theta]).max() < 0.5 for other in starts]
        if not any(near):
            starts.append(vector)
        if len(starts) == _STARTS:
            break
    return np.array(starts)


def _best_plateaus(problem: CurveProblem, share: Float) -> Float:
    """Return bottom and top (G, 2) by a line through each share (G, D), within the bounds of the plateaus.

    A line that leaves the bounds is clipped, which is good enough for a start.
    """
    w = problem.weight / problem.weight.sum()
    centre, y = share @ w, float(problem.mean @ w)
    spread = ((share - centre[:, None]) ** 2) @ w
    slope = ((share - centre[:, None]) * (problem.mean - y)) @ w / np.where(spread > 1e-12, spread, np.inf)
    bottom = y - slope * centre
    plateaus = np.column_stack([bottom, bottom + slope])
    return np.asarray(np.clip(plateaus, problem.low[-2:], problem.high[-2:]))


def profile_location(optimum: CurveOptimum, variance: float, df: float, confidence: float) -> tuple[float, float]:
    """Return the ends of the profile interval of log10 EC50; infinite where it does not end within the bounds.

    The interval holds the values with cost <= best cost + s^2 F(1, df; confidence) (Bates and Watts 1988). It is NaN
    without degrees of freedom.
    """
    if not df > 0.5 or not np.isfinite(variance):
        return -np.inf, np.inf
    if not optimum.problem.free[0]:
        return float(optimum.vector[0]), float(optimum.vector[0])
    limit = optimum.cost + max(variance, 1e-300) * float(fdtri(1, df, confidence))
    return _end(optimum, limit, -1.0), _end(optimum, limit, 1.0)


def _end(optimum: CurveOptimum, limit: float, side: float) -> float:
    """Return where the profile cost crosses the limit on one side of the estimate."""
    problem, centre = optimum.problem, float(optimum.vector[0])
    bound = float(problem.low[0] if side < 0 else problem.high[0])
    excess = _profile(optimum, limit)
    inside, step = centre, _FIRST_STEP
    while True:
        at = inside + side * step
        outside = bound if (at - bound) * side >= 0 else at
        if excess(outside) > 0:
            break
        if outside == bound:
            return side * np.inf
        inside, step = outside, step * _STEP_GROWTH
    return float(scipy.optimize.brentq(excess, inside, outside, xtol=1e-6)) if inside != outside else inside


def _profile(optimum: CurveOptimum, limit: float) -> Callable[[float], float]:
    """Return the excess of the profile cost over the limit, as a function of log10 EC50.

    A search starts from the optimum of the nearest location. It may end elsewhere when it comes from another one, so
    each location keeps its first answer: a root finder needs the signs of its ends to stay.
    """
    optima = {float(optimum.vector[0]): optimum}

    def excess(location: float) -> float:
        if location not in optima:
            start = optima[min(optima, key=lambda other: abs(other - location))].vector.copy()
            start[0] = location
            optima[location] = solve_curve(optimum.problem.fixed(0, location), start[None], _PROFILE_TOLERANCE)
        return optima[location].cost - limit

    return excess
