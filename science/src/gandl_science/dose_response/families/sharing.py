"""Plateaus that are common to all curves of a group, estimated from all of them together.

If the shared plateaus are known, each curve is a problem of its own. So the plateaus are searched outside, and the rest
of each curve inside (nested, as in variable projection). What the other curves say about the plateaus then enters each
curve as a prior of two rows: their misfit is replaced by its second-order form at the optimum (Gauss and Newton).
Standard errors from it are those of the joint fit, and profile intervals follow from the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.families.least_squares import (
    CurveOptimum,
    CurveProblem,
    PlateauPrior,
    solve_curve,
)

_TOLERANCE, _INNER_TOLERANCE = 1e-10, 1e-11
_SMALL = 1e-10
"""A direction of the plateaus with a smaller share of the information is not determined by a curve."""


@dataclass(frozen=True, kw_only=True)
class SharedPlateaus:
    """The curves of a group with common plateaus; `shared` are their indices among (bottom, top)."""

    optima: tuple[CurveOptimum, ...]
    shared: tuple[int, ...]


def solve_together(problems: Sequence[CurveProblem], shared: Sequence[int]) -> SharedPlateaus:
    """Return the best curves whose plateaus of the indices `shared` (0 bottom, 1 top) are equal.

    The direction of each curve is that of its problem.
    """
    columns = np.array([index - 2 for index in shared])
    alone = [solve_curve(problem) for problem in problems]
    single = np.array([optimum.vector[columns] for optimum in alone])
    low = np.max([problem.low[columns] for problem in problems], axis=0)
    high = np.min([problem.high[columns] for problem in problems], axis=0)
    search = _PlateauSearch(list(problems), columns, [optimum.vector for optimum in alone])
    span = np.where(np.isfinite(high - low), high - low, 1.0)
    # The plateaus of single curves may be far extrapolations, so that their median is one start and the data another.
    data = np.array([[problem.mean.min(), problem.mean.max()] for problem in problems])[:, columns]
    starts = [np.clip(np.median(each, axis=0), low + 1e-3 * span, high - 1e-3 * span) for each in (single, data)]
    best = min((search.polish(start, low, high) for start in starts), key=lambda result: result[0])[1]
    return SharedPlateaus(optima=tuple(_with_others(problems, search.inner(best), columns)), shared=tuple(shared))


class _PlateauSearch:
    """The residuals of all curves as a function of the shared plateaus; each curve starts where it was last."""

    def __init__(self, problems: Sequence[CurveProblem], columns: Index, vectors: Sequence[Float]) -> None:
        self._problems, self._columns, self._vectors = problems, columns, list(vectors)
        self._last: tuple[Float, list[CurveOptimum]] | None = None

    def polish(self, start: Float, low: Float, high: Float) -> tuple[float, Float]:
        """Return the least sum of squares from this start, and its plateaus (K,)."""
        solution = scipy.optimize.least_squares(
            self.residuals,
            start,
            jac=self.jacobian,
            bounds=(low, high),
            xtol=_TOLERANCE,
            ftol=_TOLERANCE,
            gtol=_TOLERANCE,
        )
        return float(solution.cost), np.asarray(solution.x)

    def inner(self, plateaus: Float) -> list[CurveOptimum]:
        """Return the best curves with these plateaus."""
        if self._last is None or not np.array_equal(self._last[0], plateaus):
            optima = [self._curve(k, plateaus) for k in range(len(self._problems))]
            self._vectors = [optimum.vector for optimum in optima]
            self._last = (plateaus.copy(), optima)
        return self._last[1]

    def _curve(self, k: int, plateaus: Float) -> CurveOptimum:
        problem = self._problems[k]
        low, high = problem.low.copy(), problem.high.copy()
        low[self._columns] = high[self._columns] = plateaus
        return solve_curve(replace(problem, low=low, high=high), np.array([self._vectors[k]]), _INNER_TOLERANCE)

    def residuals(self, plateaus: Float) -> Float:
        """Return the residuals of all curves, one after the other."""
        return np.concatenate([each.problem.residuals(each.vector) for each in self.inner(plateaus)])

    def jacobian(self, plateaus: Float) -> Float:
        """Return the derivatives of the residuals by the plateaus, while the rest of each curve follows (Kaufman)."""
        return np.concatenate([_projected(optimum, self._columns) for optimum in self.inner(plateaus)])


def _with_others(problems: Sequence[CurveProblem], inner: Sequence[CurveOptimum], columns: Index) -> list[CurveOptimum]:
    """Return each curve with the information of the others about the shared plateaus as its prior."""
    rows = [_projected(optimum, columns) for optimum in inner]
    information = [row.T @ row for row in rows]
    gradient = [row.T @ each.problem.residuals(each.vector) for row, each in zip(rows, inner, strict=True)]
    optima = []
    for k, (problem, optimum) in enumerate(zip(problems, inner, strict=True)):
        others = (sum(information) - information[k], sum(gradient) - gradient[k])
        with_prior = replace(problem, prior=_prior(*others, optimum.vector[columns], columns))
        cost = float((with_prior.residuals(optimum.vector) ** 2).sum())
        optima.append(CurveOptimum(problem=with_prior, vector=optimum.vector, cost=cost, at_bound=optimum.at_bound))
    return optima


def _projected(optimum: CurveOptimum, columns: Index) -> Float:
    """Return the derivatives (D, K) by the shared plateaus, without what the curve's own parameters can absorb."""
    problem = optimum.problem
    names = np.arange(problem.low.size)
    shared, own = names[columns], np.flatnonzero(problem.free & ~optimum.at_bound)
    every = np.concatenate([shared, own])
    jacobian = problem.jacobian(optimum.vector, every)
    by_plateau, by_own = jacobian[:, : shared.size], jacobian[:, shared.size :]
    if own.size:
        by_plateau = by_plateau - by_own @ np.linalg.lstsq(by_own, by_plateau, rcond=None)[0]
    return np.asarray(by_plateau)


def _prior(information: Float, gradient: Float, plateaus: Float, columns: Index) -> PlateauPrior:
    """Return the rows whose squares have this information and gradient at the plateaus (K,)."""
    values, vectors = np.linalg.eigh(information)
    usable = values > _SMALL * max(float(values.max()), 1e-300)
    values, vectors = values[usable], vectors[:, usable]
    root = np.zeros((values.size, 2))
    root[:, columns] = np.sqrt(values)[:, None] * vectors.T
    at = root[:, columns] @ plateaus
    return PlateauPrior(root=root, offset=at - (vectors.T @ gradient) / np.sqrt(values))
