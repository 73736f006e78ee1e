"""Many linear SVMs on parts of the same tiles, fitted together: one pass over the tiles serves all of them.

The folds of a cross-fit share all tiles but their own, and an SVM by liblinear copies each number into 16 bytes for
each fold. Here nothing is copied: whitening is a linear map, so that margins and gradients of all folds follow from two
matrix products with the tiles as they are, in blocks of rows. The problem is that of `LinearSVC(dual=False)`: squared
hinge, an intercept that is penalised as the weights are, and classes of equal weight.

    min over w, b of  (w · w + b²) / 2 + C Σ cᵢ max(0, 1 - yᵢ (w · z(xᵢ) + b))²

It is solved by Newton's method for a piecewise quadratic function with an exact line search (Keerthi and DeCoste 2005).
Each Newton step is found by conjugate gradients, which need few steps in whitened space; where there is one problem
only, its second derivatives are small enough to be formed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from gandl_science.arrays import Float, Index, Mask, Vectors
from gandl_science.axis.linear.whitening import Whitening
from gandl_science.threads import map_parts, row_blocks, row_parts

TOLERANCE = 1e-7
"""The solution's gradient, relative to that at zero."""
MAX_NEWTON_STEPS, MAX_CONJUGATE_STEPS, MAX_SEARCH_STEPS = 60, 200, 30
_INNER_TOLERANCE = 0.02
_CHUNK = 512  # rows that are converted to float64 at a time

Functionals = tuple[Float, Float]
"""Weights [K, F] and biases [K], or one step of both."""


@dataclass(frozen=True, kw_only=True)
class JointProblem:
    """K problems on the same N tiles.

    `vectors` [N, F] have classes [N] of +1 and -1; `training` [N, K] says which tiles each problem is fitted on, and
    `whitenings` [K] into which space they are brought first. `regularisation` is C.
    """

    vectors: Vectors
    classes: Index
    training: Mask
    whitenings: Sequence[Whitening]
    regularisation: float

    def __post_init__(self) -> None:
        if not all(np.unique(self.classes[part]).size == 2 for part in self.training.T):
            raise ValueError("every problem needs tiles of both classes")

    @property
    def costs(self) -> Float:
        """The factor C cᵢ of each tile in each problem [N, K]; 0 for a tile that is left out."""
        costs = np.zeros(self.training.shape)
        for side in (1, -1):
            own = self.training & (self.classes == side)[:, None]
            costs += own * (self.training.sum(axis=0) / np.maximum(2 * own.sum(axis=0), 1))
        return self.regularisation * costs

    def scores(self, weights: Float, bias: Float) -> Float:
        """Return w · z(x) + b [N, K] for all tiles."""
        functionals, offsets = self._functionals(weights, bias)
        out = np.empty((len(self.vectors), len(bias)))

        def fill(part: slice) -> None:
            for rows, block in self._blocks(part):
                out[rows] = block @ functionals + offsets

        map_parts(fill, self._parts)
        return out

    def pulled_back(self, tile_values: Float) -> Functionals:
        """Return the sums Σ vᵢ z(xᵢ) [K, F] and Σ vᵢ [K] for values [N, K] of the tiles."""

        def sums_of(part: slice) -> Float:
            sums = np.zeros((self.vectors.shape[1], tile_values.shape[1]))
            for rows, block in self._blocks(part):
                sums += block.T @ tile_values[rows]
            return sums

        sums = np.add.reduce(map_parts(sums_of, self._parts))
        return self._whitened(sums, tile_values.sum(axis=0))

    def curvature(self, weights: Float, bias: Float, costs: Float) -> Functionals:
        """Return Σ cᵢ (w · z(xᵢ) + b) z(xᵢ) and Σ cᵢ (w · z(xᵢ) + b) in one pass over the tiles."""
        functionals, offsets = self._functionals(weights, bias)

        def sums_of(part: slice) -> Functionals:
            sums, totals = np.zeros(functionals.shape), np.zeros(len(bias))
            for rows, block in self._blocks(part):
                values = costs[rows] * (block @ functionals + offsets)
                sums += block.T @ values
                totals += values.sum(axis=0)
            return sums, totals

        parts = map_parts(sums_of, self._parts)
        return self._whitened(*(np.add.reduce([part[i] for part in parts]) for i in (0, 1)))

    def hessian(self, costs: Float) -> Float:
        """Return I + 2 Σ cᵢ z̃(xᵢ) z̃(xᵢ)ᵀ [F + 1, F + 1] of the only problem, with z̃ = (z, 1) and costs [N, 1]."""
        whitening, features = self.whitenings[0], self.vectors.shape[1]

        def sums_of(part: slice) -> Float:
            total = np.zeros((features + 1,) * 2)
            for rows in row_blocks(part, _CHUNK):
                own = rows.start + np.flatnonzero(costs[rows, 0])
                extended = np.column_stack([self.vectors[own] - whitening.centre, np.ones(len(own))])
                extended *= np.sqrt(2 * costs[own])
                total += extended.T @ extended
            return total

        # Whitening is linear: the sums are brought into whitened space, and not each tile.
        space = np.eye(features + 1)
        space[:features, :features] = whitening.matrix
        total: Float = space.T @ np.add.reduce(map_parts(sums_of, self._parts)) @ space
        total.flat[:: features + 2] += 1
        return total

    def _functionals(self, weights: Float, bias: Float) -> tuple[Float, Float]:
        columns = [each.matrix @ w for each, w in zip(self.whitenings, weights, strict=True)]
        offsets = [b - float(e.centre @ c) for e, c, b in zip(self.whitenings, columns, bias, strict=True)]
        return np.stack(columns, axis=1), np.array(offsets)

    def _whitened(self, sums: Float, totals: Float) -> Functionals:
        rows = [
            (own - total * each.centre) @ each.matrix
            for each, own, total in zip(self.whitenings, sums.T, totals, strict=True)
        ]
        return np.stack(rows), totals

    @property
    def _parts(self) -> Sequence[slice]:
        return row_parts(len(self.vectors), _CHUNK)

    def _blocks(self, part: slice) -> Iterator[tuple[slice, Float]]:
        # One buffer serves all blocks: fresh memory would cost more than the products.
        buffer = np.empty((_CHUNK, self.vectors.shape[1]))
        for rows in row_blocks(part, _CHUNK):
            block = buffer[: rows.stop - rows.start]
            np.copyto(block, self.vectors[rows])
            yield rows, block


def fit_jointly(problem: JointProblem) -> Functionals:
    """Return the weights [K, F] in whitened space and the biases [K] of all problems.

    Raises ValueError where a problem has not converged, as with vectors that are not finite.
    """
    features, count = problem.vectors.shape[1], problem.training.shape[1]
    costs, y = problem.costs, problem.classes[:, None].astype(np.float64)
    weights, bias = np.zeros((count, features)), np.zeros(count)
    scores = np.zeros((len(problem.vectors), count))
    first: Float | None = None
    for _ in range(MAX_NEWTON_STEPS):
        slack = np.maximum(0.0, 1.0 - y * scores)
        pulled, totals = problem.pulled_back(costs * y * slack)
        gradient = weights - 2 * pulled, bias - 2 * totals
        length = np.sqrt(_dot(gradient, gradient))
        first = length if first is None else first
        live = length > TOLERANCE * first
        if not live.any():
            return weights, bias
        active = costs * (slack > 0)
        step = _exact_step(problem, active, gradient) if count == 1 else _newton_step(problem, active, gradient, live)
        along = problem.scores(*step)
        size = _line_search((weights, bias), step, scores, along, costs, y)
        weights, bias = weights + size[:, None] * step[0], bias + size * step[1]
        scores += size * along
    raise ValueError(f"an SVM has not converged in {MAX_NEWTON_STEPS} steps")


def _dot(a: Functionals, b: Functionals) -> Float:
    product: Float = np.einsum("kf,kf->k", a[0], b[0]) + a[1] * b[1]
    return product


def _exact_step(problem: JointProblem, active: Float, gradient: Functionals) -> Functionals:
    """Solve H d = -g for the only problem. Vectors that are not whitened would need hundreds of conjugate steps."""
    step = cho_solve(cho_factor(problem.hessian(active)), -np.append(gradient[0][0], gradient[1]))
    return step[None, :-1], step[-1:]


def _newton_step(problem: JointProblem, active: Float, gradient: Functionals, live: Mask) -> Functionals:
    """Solve H d = -g by conjugate gradients for all problems at once; zero for those that are not `live` [K]."""
    step = np.zeros_like(gradient[0]), np.zeros_like(gradient[1])
    residual = -gradient[0] * live[:, None], -gradient[1] * live
    direction = residual
    square = _dot(residual, residual)
    target = _INNER_TOLERANCE**2 * square
    for _ in range(MAX_CONJUGATE_STEPS):
        going = square > target
        if not going.any():
            break
        curved = problem.curvature(*direction, active)
        image = direction[0] + 2 * curved[0], direction[1] + 2 * curved[1]
        length = np.where(going, square, 0) / np.maximum(_dot(direction, image), 1e-300)
        step = step[0] + length[:, None] * direction[0], step[1] + length * direction[1]
        residual = residual[0] - length[:, None] * image[0], residual[1] - length * image[1]
        new = _dot(residual, residual)
        ratio = np.where(going, new / np.maximum(square, 1e-300), 0)
        direction = residual[0] + ratio[:, None] * direction[0], residual[1] + ratio * direction[1]
        square = np.where(going, new, square)
    return step


def _line_search(point: Functionals, step: Functionals, scores: Float, along: Float, costs: Float, y: Float) -> Float:
    """Return the lengths [K] of the steps at which the objective is least: the root of its derivative.

    The derivative rises and is linear between the tiles' kinks, so that Newton's method finds the root.
    """
    linear, square = _dot(point, step), _dot(step, step)
    size = np.where(square > 0, 1.0, 0.0)
    margins, slopes = y * scores, y * along
    for _ in range(MAX_SEARCH_STEPS):
        slack = np.maximum(0.0, 1.0 - margins - size * slopes)
        slope = linear + size * square - 2 * (costs * slack * slopes).sum(axis=0)
        bend = square + 2 * (costs * (slack > 0) * slopes**2).sum(axis=0)
        change = slope / np.maximum(bend, 1e-300)
        size = size - change
        if np.all(np.abs(change) <= 1e-10 * np.maximum(np.abs(size), 1e-10)):
            break
    return size
