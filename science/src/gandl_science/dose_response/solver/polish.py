"""The bounded polish: Levenberg-Marquardt (Marquardt 1963) on theta alone, of all curves at once.

The plateaus are solved exactly at every step, so the Jacobian is that of Kaufman (1975).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.models import SearchSpace, Shape
from gandl_science.dose_response.solver.means import DoseMeans, plateaus

_DAMPING_START = 1e-3
"""tau of Nielsen (1999) for starts that may be far from the optimum, relative to the diagonal (Marquardt 1963)."""
_DAMPING_RANGE = (1e-12, 1e12)
_DAMPING_BARELY = 1.0
"""A step with at most this damping is close to a full Gauss-Newton step, so that a small gain means an optimum."""
_DAMPING_HOPELESS = 1e9
"""With this damping steps are too small to change anything: the curve is as good as it gets."""
_MIN_FACTOR, _GROWTH = 1 / 3, 2.0
"""Nielsen's (1999) limits of one change of the damping: it falls to no less than a third, and rises by 2 at first."""
_MIN_MOVE = 1e-10
"""The smallest change of theta (decades, ln slope) that counts."""
_ROUNDING = 1e-16
_TINY = 1e-300
"""Added to divisors that may be zero."""
_MAX_MOVE = 1.0
"""The largest change of a parameter in one step: one decade, or a factor e of the slope."""
_RIDGE = 1e-9
"""The share of the largest diagonal element that is added where a parameter has no effect at all."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """theta (B, P), bottom (B,), top (B,), and misfit (B,): the sum of squares of dose means about the curve."""

    theta: Float
    bottom: Float
    top: Float
    misfit: Float

    def take(self, curves: Index) -> Solution:
        """Return the curves at these indices."""
        return Solution(
            theta=self.theta[curves],
            bottom=self.bottom[curves],
            top=self.top[curves],
            misfit=self.misfit[curves],
        )

    @classmethod
    def joined(cls, parts: Sequence[Solution]) -> Solution:
        """Return the curves of all parts, in order."""
        names = ("theta", "bottom", "top", "misfit")
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def replaced(self, curves: Index, other: Solution) -> Solution:
        """Return these curves with those at the indices `curves` taken from `other`."""
        fields = {}
        for name in ("theta", "bottom", "top", "misfit"):
            fields[name] = getattr(self, name).copy()
            fields[name][curves] = getattr(other, name)
        return Solution(**fields)


def polish(
    data: DoseMeans,
    shape: Shape,
    space: SearchSpace,
    start: Float,
    *,
    fixed: int | Index | None = None,
    tolerance: float = 1e-13,
    max_steps: int | Index = 80,
) -> Solution:
    """Improve theta from `start` (B, P) within the bounds by Levenberg-Marquardt; theta[fixed] keeps its value.

    `fixed` and `max_steps` are one number for all curves or one for each (B,). A curve is done when a barely damped
    step changes its sum of squares by less than `tolerance` of it. The damping follows H. B. Nielsen, "Damping
    parameter in Marquardt's method", report IMM-REP-1999-05, Technical University of Denmark, 1999.
    """
    problem = _BoundedProblem.of(shape, space, fixed, len(start))
    at = _Curves.of(shape, data, problem.project(start.copy()))
    theta, misfit = at.theta.copy(), at.misfit.copy()
    damping, growth = np.full(len(theta), _DAMPING_START), np.full(len(theta), _GROWTH)
    live, limit, count = np.arange(len(theta)), np.broadcast_to(max_steps, len(theta)), 0
    rows = data
    while live.size:
        proposal, predicted = problem.step(rows, at, damping)
        trial = _Curves.of(shape, rows, proposal)
        gained = at.misfit - trial.misfit
        better = gained >= 0
        small = np.maximum(np.abs(gained), predicted) <= tolerance * (at.misfit + rows.pure)
        done = (small & (damping <= _DAMPING_BARELY)) | (np.abs(proposal - at.theta).max(axis=1) <= _MIN_MOVE)
        at = at.replaced(trial, better)
        # Gains below rounding say nothing of the step, so the predicted gain is never taken to be smaller than that.
        noticeable = np.maximum(predicted, _ROUNDING * (at.misfit + rows.pure) + _TINY)
        damping, growth = _nielsen_update(damping, growth, gained / noticeable, better)
        count += 1
        going = ~done & (damping < _DAMPING_HOPELESS) & (limit > count)
        if not going.all():
            ended, on = live[~going], np.flatnonzero(going)
            theta[ended], misfit[ended] = at.theta[~going], at.misfit[~going]
            # Only curves that go on are computed, and the others need not be copied in every step.
            live, limit, damping, growth = live[on], limit[on], damping[on], growth[on]
            at, rows, problem = at.take(on), rows.take(on), problem.take(on)
    bottom, amplitude, _ = plateaus(data, shape.basis(data.x, theta))
    return Solution(theta=theta, bottom=bottom, top=bottom + amplitude, misfit=misfit)


@dataclass(frozen=True, kw_only=True)
class _Curves:
    """The curves of B rows of data at theta (B, P) with the best plateaus.

    `basis` and `residual` (B, D) are at the doses, `misfit` (B,) is the sum of squares of dose means about the curves.
    """

    theta: Float
    basis: Float
    amplitude: Float
    residual: Float
    misfit: Float

    @classmethod
    def of(cls, shape: Shape, data: DoseMeans, theta: Float) -> _Curves:
        """Return the curves of a shape at theta."""
        basis = shape.basis(data.x, theta)
        _, amplitude, residual = plateaus(data, basis)
        misfit = np.asarray((data.weight * residual**2).sum(axis=1))
        return cls(theta=theta, basis=basis, amplitude=amplitude, residual=residual, misfit=misfit)

    def take(self, rows: Index) -> _Curves:
        """Return the curves at these indices."""
        return _Curves(**{name: values[rows] for name, values in vars(self).items()})

    def replaced(self, other: _Curves, which: Mask) -> _Curves:
        """Return these curves with those of `other` where `which` (B,) is true."""
        if which.all():
            return other
        rows = which[:, None]
        return _Curves(
            theta=np.where(rows, other.theta, self.theta),
            basis=np.where(rows, other.basis, self.basis),
            amplitude=np.where(which, other.amplitude, self.amplitude),
            residual=np.where(rows, other.residual, self.residual),
            misfit=np.where(which, other.misfit, self.misfit),
        )


def _nielsen_update(damping: Float, growth: Float, ratio: Float, better: Mask) -> tuple[Float, Float]:
    """Return the new damping and growth (N,), from the ratio of gained to predicted improvement (Nielsen 1999).

    A better step multiplies the damping by max(1/3, 1 - (2 ratio - 1)^3): by a third where the prediction was right, by
    one where it was twice too large. A worse step multiplies it by 2, the next worse ones by 4, 8, ...
    """
    # The cube is taken of [-1, 1], because the ratio is not bounded where both gains are near rounding.
    trust = np.clip(2.0 * ratio - 1.0, -1.0, 1.0)
    factor = np.where(better, np.maximum(_MIN_FACTOR, 1.0 - trust**3), growth)
    return np.clip(damping * factor, *_DAMPING_RANGE), np.where(better, _GROWTH, growth * _GROWTH)


@dataclass(frozen=True, kw_only=True)
class _BoundedProblem:
    """The least-squares problem of one polish of B curves.

    `low` and `high` (B, P) are the bounds of theta, `fixed` (B, P) is true for the entries that keep their value.
    """

    shape: Shape
    low: Float
    high: Float
    fixed: Mask

    @classmethod
    def of(cls, shape: Shape, space: SearchSpace, fixed: int | Index | None, count: int) -> _BoundedProblem:
        """Return the problem of `count` curves."""
        low, high = (np.broadcast_to(ends, (count, shape.n_theta)) for ends in shape.bounds(space))
        index = np.broadcast_to(-1 if fixed is None else fixed, count)
        return cls(shape=shape, low=low, high=high, fixed=index[:, None] == np.arange(shape.n_theta))

    def take(self, curves: Index) -> _BoundedProblem:
        """Return the problem of the curves at these indices."""
        return _BoundedProblem(shape=self.shape, low=self.low[curves], high=self.high[curves], fixed=self.fixed[curves])

    def project(self, theta: Float) -> Float:
        """Move theta into the bounds, and the first location not above the second (a fixed one does not move)."""
        theta = np.minimum(np.maximum(theta, self.low), self.high)
        if len(self.shape.locations) == 2:
            first, second = self.shape.locations
            crossed = np.flatnonzero(theta[:, first] > theta[:, second])
            if crossed.size:
                one, other = theta[crossed, first], theta[crossed, second]
                meet = np.where(self.fixed[crossed, second], other, (one + other) / 2)
                theta[crossed, first] = theta[crossed, second] = np.where(self.fixed[crossed, first], one, meet)
        return theta

    def step(self, data: DoseMeans, at: _Curves, damping: Float) -> tuple[Float, Float]:
        """Return one damped Gauss-Newton step, projected, and the decrease of the misfit that it predicts (B,).

        A parameter at a bound that is pulled outwards stays there. One that the step would carry past its bound is put
        on the bound, and the others step again without it.
        """
        theta, root = at.theta, np.sqrt(data.weight)
        raw = at.amplitude[:, None, None] * self.shape.gradient(data.x, theta) * root[:, None, :]
        # Kaufman's Jacobian: what the plateaus can take up themselves is no reason to move theta.
        jacobian = _remove_plateau_directions(raw, root, at.basis)
        descent = (jacobian * (root * at.residual)[:, None, :]).sum(axis=2)
        normal = jacobian @ jacobian.swapaxes(1, 2)
        low, high = self.low, self.high
        blocked = ((theta <= low) & (descent < 0)) | ((theta >= high) & (descent > 0)) | self.fixed
        move = _damped_step(normal, descent, damping, blocked)
        past = ~blocked & ((theta + move < low) | (theta + move > high))
        again = np.flatnonzero(past.any(axis=1))
        if again.size:
            clipped = np.where(
                past[again], np.clip(theta[again] + move[again], low[again], high[again]) - theta[again], 0.0
            )
            # The free parameters see the misfit after the clipped ones have moved to their bounds.
            pull = descent[again] - (normal[again] @ clipped[:, :, None])[:, :, 0]
            move[again] = clipped + _damped_step(normal[again], pull, damping[again], blocked[again] | past[again])
        proposal = self.project(theta + move)
        # The projection may have changed the move, so its gain is predicted afterwards: 2 d'm - m'Nm.
        move = proposal - theta
        predicted = 2.0 * (descent * move).sum(axis=1) - (move * (normal @ move[:, :, None])[:, :, 0]).sum(axis=1)
        return proposal, np.maximum(predicted, 0.0)


def _damped_step(normal: Float, descent: Float, damping: Float, blocked: Mask) -> Float:
    """Solve (N + damping diag N) move = descent for the parameters that are not blocked; each moves at most by 1."""
    free = ~blocked
    diagonal = np.diagonal(normal, axis1=1, axis2=2)
    ridge = damping[:, None] * (diagonal + _RIDGE * diagonal.max(axis=1, keepdims=True)) + _TINY
    matrix = np.where(free[:, :, None] & free[:, None, :], normal, 0.0)
    index = np.arange(descent.shape[1])
    # A blocked parameter has a row of the identity, so that all systems have one size and are solved at once.
    matrix[:, index, index] += np.where(blocked, 1.0, ridge)
    move = np.linalg.solve(matrix, np.where(free, descent, 0.0)[:, :, None])[:, :, 0]
    return np.clip(np.where(np.isnan(move), 0.0, move), -_MAX_MOVE, _MAX_MOVE)


def _remove_plateau_directions(vectors: Float, root: Float, basis: Float) -> Float:
    """Remove from vectors (B, P, D) their parts along the two plateau directions, root and root * basis (B, D)."""
    one = root / np.linalg.norm(root, axis=1, keepdims=True)
    h = root * basis
    h = h - (h * one).sum(axis=1, keepdims=True) * one
    length = np.linalg.norm(h, axis=1, keepdims=True)
    # A basis that is flat within the doses has one direction only.
    h = np.where(length > 1e-8, h / np.where(length > 1e-8, length, 1.0), 0.0)
    for direction in (one, h):
        along = (vectors * direction[:, None, :]).sum(axis=2)
        vectors = vectors - along[:, :, None] * direction[:, None, :]
    return vectors
