"""The relative potency of two compounds, and the test of parallel curves, without which a potency has no meaning.

Two curves are parallel if they differ by a shift along log concentration only: common slope, common plateaus. The full
model gives each its own; the test is the extra sum of squares F-test (Bates and Watts 1988, section 3.10; Finney 1978
on bioassays). The relative potency is EC50(reference) / EC50(other) in the parallel model, with its profile interval.
Plateaus and plate effects are linear, so that they are solved exactly at every step (Golub and Pereyra 1973).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import fdtrc, fdtri

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.models import HILL, SearchSpace, log_dose

_STEP, _STEP_GROWTH = 0.05, 1.6
_MIN_SPARE_WELLS = 1.0
_NEAR_MINUS_ONE = -1 + 1e-6
"""Where a search begins at the nearest: the sine has no slope at -1 and 1."""
_MIN_DIRECTION = 1e-12
"""The size of a direction of the linear columns, relative to the largest one, below which it is none."""


@dataclass(frozen=True, kw_only=True)
class WellPair:
    """The wells (n,) of two compounds.

    `is_other` is true for those of the second one. `is_shared` is true for vehicle wells of both, whose concentration
    is zero: with them, the left plateau is common by design. `plate` holds a code from 0 on for each plate.
    """

    concentration: Float
    response: Float
    weight: Float
    is_other: Mask
    is_shared: Mask
    plate: Index


@dataclass(frozen=True, kw_only=True)
class Parallelism:
    """The comparison of two curves.

    `p_value` is that of the F-test with `df` degrees of freedom. `ratio` is the relative potency in the parallel model,
    above 1 where the other compound is more potent than the reference; an open side of its interval is None.
    """

    p_value: float
    f: float
    df: tuple[float, float]
    ratio: float
    low: float | None
    high: float | None
    sigma: float


def compare_curves(
    wells: WellPair, space: SearchSpace, reference: Float, other: Float, confidence: float = 0.95
) -> Parallelism | None:
    """Return the comparison of two Hill curves; None without residual degrees of freedom.

    `reference` and `other` are the (log10 EC50, ln slope) of each curve by itself, from which the search starts.
    """
    problem = _Problem.of(wells, space)
    shift = other[0] - reference[0]
    slopes = {float(reference[1]), float(other[1]), float(reference[1] + other[1]) / 2}
    parallel = problem.best(problem.parallel, [(reference[0], shift, slope) for slope in sorted(slopes)])
    # The parallel curves are among the starts, so that the full model never fits worse.
    location, moved, slope = parallel.theta
    starts = [(location, slope, location + moved, slope), (*reference, *other)]
    full = problem.best(problem.full, starts)
    extra, spare = full.n_parameters - parallel.n_parameters, problem.total_weight - full.n_parameters
    if spare < _MIN_SPARE_WELLS or extra < 1:
        return None
    f = max(parallel.misfit - full.misfit, 0.0) / extra / max(full.misfit / spare, 1e-300)
    spare_parallel = problem.total_weight - parallel.n_parameters
    variance = parallel.misfit / spare_parallel
    allowed = parallel.misfit + variance * float(fdtri(1, spare_parallel, confidence))
    low, high = (_shift_end(problem, parallel, allowed, sign) for sign in (-1, 1))
    return Parallelism(
        p_value=float(fdtrc(extra, spare, f)),
        f=float(f),
        df=(float(extra), float(spare)),
        ratio=float(10.0 ** -parallel.theta[1]),
        # A larger shift is a smaller potency, so the ends change places.
        low=None if high is None else float(10.0**-high),
        high=None if low is None else float(10.0**-low),
        sigma=float(np.sqrt(variance)),
    )


@dataclass(frozen=True, kw_only=True)
class _JointFit:
    """The best theta of a model of both curves, its weighted sum of squares, and its number of parameters."""

    theta: Float
    misfit: float
    n_parameters: int


@dataclass(frozen=True, kw_only=True)
class _Curves:
    """Both curves at one theta (P,): the linear columns (n, K), the changes (n, P) of the share of the effect with
    theta, and for each well the two columns (n,), (n,) whose difference is the amplitude of its curve."""

    columns: Float
    changes: Float
    left: Index
    right: Index


CurvesAt = Callable[[Float], _Curves]


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """The wells of both compounds with x (n,) in log10, and the columns (n, K) of plate effects."""

    wells: WellPair
    space: SearchSpace
    x: Float
    plates: Float

    @classmethod
    def of(cls, wells: WellPair, space: SearchSpace) -> _Problem:
        codes = np.unique(wells.plate)[1:]
        plates = (wells.plate[:, None] == codes).astype(float)
        return cls(wells=wells, space=space, x=log_dose(wells.concentration), plates=plates)

    @property
    def total_weight(self) -> float:
        return float(self.wells.weight.sum())

    def parallel(self, theta: Float) -> _Curves:
        """Return curves that differ by a shift; theta is (location, shift, ln slope)."""
        location, shift, slope = theta
        other = self.wells.is_other
        h, changes = self._share(location + shift * other, slope)
        columns = np.column_stack([1.0 - h, h, self.plates])
        zero = np.zeros(self.x.size, np.intp)
        changes = np.column_stack([changes[:, 0], changes[:, 0] * other, changes[:, 1]])
        return _Curves(columns=columns, changes=changes, left=zero, right=zero + 1)

    def full(self, theta: Float) -> _Curves:
        """Return two curves; theta is (location, ln slope) of each."""
        other, shared = self.wells.is_other, self.wells.is_shared
        h, changes = self._share(np.where(other, theta[2], theta[0]), np.where(other, theta[3], theta[1]))
        left = np.column_stack([(1.0 - h) * ~other, (1.0 - h) * other])
        if shared.any():
            left = left.sum(axis=1, keepdims=True)
        columns = np.column_stack([left, h * ~other, h * other, self.plates])
        own = np.where(other, 1, 0)
        return _Curves(
            columns=columns,
            changes=np.column_stack([changes * ~other[:, None], changes * other[:, None]]),
            left=np.minimum(own, left.shape[1] - 1),
            right=own + left.shape[1],
        )

    def _share(self, location: Float, log_slope: Float | float) -> tuple[Float, Float]:
        """Return the share (n,) of the effect at each well, and its changes (n, 2) with location and ln slope."""
        theta = np.column_stack([location, np.broadcast_to(log_slope, self.x.shape)])
        return HILL.basis(self.x[:, None], theta)[:, 0], HILL.gradient(self.x[:, None], theta)[:, :, 0]

    def residuals(self, curves: _Curves) -> tuple[Float, Float]:
        """Return the weighted residuals (n,) with the best plateaus and plate effects, and their changes (n, P).

        The changes leave out that of the columns' own directions, which is small (Kaufman 1975).
        """
        root = np.sqrt(self.wells.weight)
        response = self.wells.response * root
        u, sizes, vt = np.linalg.svd(curves.columns * root[:, None], full_matrices=False)
        # Plates that hold one compound only share a direction with its plateaus.
        independent = sizes > _MIN_DIRECTION * sizes[0]
        u, within = u[:, independent], u[:, independent].T @ response
        plateaus = vt[independent].T @ (within / sizes[independent])
        changes = curves.changes * ((plateaus[curves.right] - plateaus[curves.left]) * root)[:, None]
        return response - u @ within, u @ (u.T @ changes) - changes

    def best(
        self, curves_at: CurvesAt, starts: Sequence[tuple[float, ...]], fixed: tuple[int, float] | None = None
    ) -> _JointFit:
        """Return the best fit from several starts; theta[fixed[0]] keeps the value fixed[1]."""
        low, high = self._bounds(len(starts[0]))
        free = np.array([fixed is None or k != fixed[0] for k in range(len(low))])
        middle, half = (low + high)[free] / 2, (high - low)[free] / 2

        def whole(angles: Float) -> Float:
            """Return theta from one angle for each free number, whose sine is its place between its bounds."""
            theta = np.empty(free.size)
            theta[free] = middle + half * np.sin(angles)
            if fixed is not None:
                theta[fixed[0]] = fixed[1]
            return theta

        latest: dict[bytes, tuple[Float, Float]] = {}

        def both(angles: Float) -> tuple[Float, Float]:
            # MINPACK asks for the changes at the angles whose residuals it had before.
            key = angles.tobytes()
            if key not in latest:
                latest.clear()
                latest[key] = self.residuals(curves_at(whole(angles)))
            return latest[key]

        def residuals(angles: Float) -> Float:
            return both(angles)[0]

        def changes(angles: Float) -> Float:
            return np.asarray(both(angles)[1][:, free] * (half * np.cos(angles)))

        # Angles need no bounds, so that MINPACK does, which is much faster than a bounded search.
        fits = [
            scipy.optimize.least_squares(
                residuals,
                np.arcsin(np.clip((np.array(start)[free] - middle) / half, _NEAR_MINUS_ONE, -_NEAR_MINUS_ONE)),
                changes,
                method="lm",
                xtol=1e-8,
                ftol=1e-10,
            )
            for start in starts
        ]
        optimum = min(fits, key=lambda fit: float(fit.cost))
        theta = whole(optimum.x)
        rank = int(np.linalg.matrix_rank(curves_at(theta).columns))
        # A direction that two columns share counts once.
        return _JointFit(theta=theta, misfit=2 * float(optimum.cost), n_parameters=rank + len(theta))

    def _bounds(self, n: int) -> tuple[Float, Float]:
        (left, right), (flat, steep) = (self.space.low, self.space.high), self.space.slopes
        width = right - left
        if n == 3:
            return np.array([left, -width, flat]), np.array([right, width, steep])
        return np.array([left, flat, left, flat]), np.array([right, steep, right, steep])


def _shift_end(problem: _Problem, parallel: _JointFit, allowed: float, sign: int) -> float | None:
    """Return the end of the profile interval of the shift on one side; None where it is open."""
    width = problem.space.high - problem.space.low
    location, best, slope = parallel.theta

    def excess(shift: float) -> float:
        start = (location - (shift - best) / 2, shift, slope)
        return problem.best(problem.parallel, [start], fixed=(1, shift)).misfit - allowed

    inside, step = float(best), _STEP
    while abs(inside) < width:
        outside = float(np.clip(inside + sign * step, -width, width))
        if excess(outside) > 0:
            return float(scipy.optimize.brentq(excess, inside, outside, xtol=1e-3))
        if abs(outside) >= width:
            return None
        inside, step = outside, step * _STEP_GROWTH
    return None
