"""Least squares for many curves that share their doses: a grid, then one bounded polish, all curves at once.

Wells of one dose share their prediction, so a curve is its weighted dose means: sum of squares = pure error (within
doses) + lack of fit (dose means about the curve). The grid is one matrix product; the polish is Levenberg-Marquardt on
theta alone with Kaufman's (1975) Jacobian, the plateaus solved exactly at every step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandl_science.dose_response.models import Floats, Mask, Rows, SearchSpace, Shape

_FLAT = 1e-13
_COVERED = 0.05
_SLICE = 256


@dataclass(frozen=True)
class DoseMeans:
    """B curves over D doses: x (D,) log10 dose, weight (B, D) sum of well weights, mean (B, D), pure (B,) the weighted
    sum of squares within doses."""

    x: Floats
    weight: Floats
    mean: Floats
    pure: Floats

    @property
    def total_weight(self) -> Floats:
        """Effective number of wells, (B,): a well that is downweighted counts as its weight."""
        return np.asarray(self.weight.sum(axis=1))

    @property
    def grand_mean(self) -> Floats:
        return np.asarray((self.weight * self.mean).sum(axis=1) / self.total_weight)

    @property
    def between(self) -> Floats:
        """Weighted sum of squares of dose means about the grand mean, (B,)."""
        return np.asarray((self.weight * (self.mean - self.grand_mean[:, None]) ** 2).sum(axis=1))

    def take(self, rows: Rows) -> DoseMeans:
        """The curves at these indices (repeats allowed)."""
        return DoseMeans(self.x, self.weight[rows], self.mean[rows], self.pure[rows])


@dataclass(frozen=True)
class Solution:
    """theta (B, P), bottom (B,), top (B,), and misfit (B,): the sum of squares of dose means about the curve."""

    theta: Floats
    bottom: Floats
    top: Floats
    misfit: Floats

    def take(self, rows: Rows) -> Solution:
        """The curves at these indices."""
        return Solution(self.theta[rows], self.bottom[rows], self.top[rows], self.misfit[rows])


def dose_means(x: Floats, wells: Floats, weights: Floats) -> DoseMeans:
    """Collapse wells (B, D, R) with weights (B, D, R), 0 where there is no well. Every dose needs some weight."""
    weight = weights.sum(axis=2)
    mean = (weights * wells).sum(axis=2) / weight
    pure = (weights * (wells - mean[:, :, None]) ** 2).sum(axis=(1, 2))
    return DoseMeans(x, weight, mean, pure)


def plateaus(data: DoseMeans, basis: Floats) -> tuple[Floats, Floats, Floats]:
    """Bottom, amplitude and residuals (B,), (B,), (B, D) of the best line through basis (B, D)."""
    total, centre = data.total_weight, data.grand_mean
    h_mean = (data.weight * basis).sum(axis=1) / total
    h = basis - h_mean[:, None]
    spread = (data.weight * h * h).sum(axis=1)
    usable = spread > _FLAT * total
    amplitude = np.where(usable, (data.weight * h * data.mean).sum(axis=1) / np.where(usable, spread, 1.0), 0.0)
    residual = data.mean - centre[:, None] - amplitude[:, None] * h
    return centre - amplitude * h_mean, amplitude, residual


def explained(data: DoseMeans, basis: Floats) -> Floats:
    """Sum of squares each grid basis (G, D) explains beyond the mean, (B, G)."""
    y = data.mean - data.grand_mean[:, None]
    gains = (data.weight * y) @ basis.T
    weight = data.weight[:1] if np.all(data.weight == data.weight[0]) else data.weight
    total = weight.sum(axis=1, keepdims=True)
    spread = weight @ (basis**2).T - (weight @ basis.T) ** 2 / total
    spread[spread <= 1e-10 * total] = np.inf
    gains *= gains
    gains /= spread
    return gains


def solve(data: DoseMeans, shape: Shape, space: SearchSpace, grid: Floats, n_starts: int = 1) -> Solution:
    """The least-squares curve of `shape` for each row of `data`: best grid points (G, P), then a bounded polish.

    Starts are grid points whose curve covers at least 5 % of its own amplitude within the tested doses: beyond that
    the amplitude is arbitrary. The polish may leave them if the fit gets better.
    """
    basis = shape.basis(data.x, grid)
    covered = np.ptp(basis, axis=1) >= _COVERED
    starts = grid[covered][_best_points(data, basis[covered], n_starts)]
    solutions = [polish(data, shape, space, starts[:, s]) for s in range(n_starts)]
    best = np.stack([s.misfit for s in solutions]).argmin(axis=0)
    pick = (best, np.arange(best.size))
    return Solution(
        np.stack([s.theta for s in solutions])[pick],
        np.stack([s.bottom for s in solutions])[pick],
        np.stack([s.top for s in solutions])[pick],
        np.stack([s.misfit for s in solutions])[pick],
    )


def _best_points(data: DoseMeans, basis: Floats, n: int) -> Rows:
    """Indices (B, n) of the grid points that explain most, a slice of curves at a time to stay within the cache."""
    slices = [np.arange(i, min(i + _SLICE, len(data.pure))) for i in range(0, len(data.pure), _SLICE)]
    found = []
    for rows in slices:
        gains = explained(data.take(rows), basis)
        best = gains.argmax(axis=1)[:, None] if n == 1 else np.argpartition(gains, -n, axis=1)[:, -n:]
        found.append(best)
    return np.concatenate(found)


def polish(
    data: DoseMeans,
    shape: Shape,
    space: SearchSpace,
    start: Floats,
    *,
    fixed: int | None = None,
    tolerance: float = 1e-13,
    max_steps: int = 80,
) -> Solution:
    """Levenberg-Marquardt from `start` (B, P) within the bounds; theta[fixed] keeps its starting value.

    A curve is done when a barely damped step changes its sum of squares by less than `tolerance` of it.
    """
    state = _Polish(shape, shape.bounds(space), fixed)
    theta = state.project(start.copy())
    misfit = state.misfit(data, theta)
    damping, growth = np.full(len(theta), 1e-3), np.full(len(theta), 2.0)
    live = np.arange(len(theta))
    for _ in range(max_steps):
        if live.size == 0:
            break
        part = data.take(live)
        proposal, promised = state.step(part, theta[live], damping[live])
        new = state.misfit(part, proposal)
        gained = misfit[live] - new
        better = gained >= 0
        small = np.maximum(np.abs(gained), promised) <= tolerance * (misfit[live] + part.pure)
        done = (small & (damping[live] <= 1.0)) | (np.abs(proposal - theta[live]).max(axis=1) <= 1e-10)
        theta[live[better]], misfit[live[better]] = proposal[better], new[better]
        noticeable = np.maximum(promised, 1e-16 * (misfit[live] + part.pure) + 1e-300)
        trust = np.clip(2.0 * gained / noticeable - 1.0, -1.0, 1.0)
        factor = np.where(better, np.maximum(1 / 3, 1.0 - trust**3), growth[live])
        damping[live] = np.clip(damping[live] * factor, 1e-12, 1e12)
        growth[live] = np.where(better, 2.0, growth[live] * 2.0)
        live = live[~done & (damping[live] < 1e9)]
    bottom, amplitude, _ = plateaus(data, shape.basis(data.x, theta))
    return Solution(theta, bottom, bottom + amplitude, misfit)


@dataclass(frozen=True)
class _Polish:
    """The pieces of one polish; `bounds` are (P,) each."""

    shape: Shape
    bounds: tuple[Floats, Floats]
    fixed: int | None

    def misfit(self, data: DoseMeans, theta: Floats) -> Floats:
        residual = plateaus(data, self.shape.basis(data.x, theta))[2]
        return np.asarray((data.weight * residual**2).sum(axis=1))

    def project(self, theta: Floats) -> Floats:
        """Into the box, and the first location not above the second (the fixed one stays where it is)."""
        theta = np.clip(theta, *self.bounds)
        if len(self.shape.locations) == 2:
            first, second = self.shape.locations
            crossed = theta[:, first] > theta[:, second]
            meet = theta[:, self.fixed] if self.fixed in (first, second) else theta[:, [first, second]].mean(axis=1)
            theta[crossed, first] = theta[crossed, second] = meet[crossed]
        return theta

    def step(self, data: DoseMeans, theta: Floats, damping: Floats) -> tuple[Floats, Floats]:
        """One damped Gauss-Newton step, projected, and the fall of the misfit it promises (B,).

        A parameter at a bound that pulls outwards is held; one that the step would carry past its bound is put there
        and the others step again without it.
        """
        basis = self.shape.basis(data.x, theta)
        _, amplitude, residual = plateaus(data, basis)
        root = np.sqrt(data.weight)
        raw = amplitude[:, None, None] * self.shape.gradient(data.x, theta) * root[:, None, :]
        jacobian = _off_plane(raw, root, basis)
        descent = (jacobian * (root * residual)[:, None, :]).sum(axis=2)
        normal = jacobian @ jacobian.swapaxes(1, 2)
        low, high = self.bounds
        held = ((theta <= low) & (descent < 0)) | ((theta >= high) & (descent > 0))
        if self.fixed is not None:
            held[:, self.fixed] = True
        move = _damped(normal, descent, damping, held)
        past = ~held & ((theta + move < low) | (theta + move > high))
        again = np.flatnonzero(past.any(axis=1))
        if again.size:
            clipped = np.where(past[again], np.clip(theta[again] + move[again], low, high) - theta[again], 0.0)
            pull = descent[again] - (normal[again] @ clipped[:, :, None])[:, :, 0]
            move[again] = clipped + _damped(normal[again], pull, damping[again], held[again] | past[again])
        proposal = self.project(theta + move)
        move = proposal - theta
        promised = 2.0 * (descent * move).sum(axis=1) - (move * (normal @ move[:, :, None])[:, :, 0]).sum(axis=1)
        return proposal, np.maximum(promised, 0.0)


def _damped(normal: Floats, descent: Floats, damping: Floats, held: Mask) -> Floats:
    """Solve (N + damping diag N) move = descent for the parameters that are not held; each moves at most by 1."""
    free = ~held
    diagonal = np.diagonal(normal, axis1=1, axis2=2)
    ridge = damping[:, None] * (diagonal + 1e-9 * diagonal.max(axis=1, keepdims=True)) + 1e-300
    matrix = np.where(free[:, :, None] & free[:, None, :], normal, 0.0)
    index = np.arange(descent.shape[1])
    matrix[:, index, index] += np.where(held, 1.0, ridge)
    move = np.linalg.solve(matrix, np.where(free, descent, 0.0)[:, :, None])[:, :, 0]
    return np.clip(np.nan_to_num(move), -1.0, 1.0)


def _off_plane(vectors: Floats, root: Floats, basis: Floats) -> Floats:
    """Remove from vectors (B, P, D) their parts along the two plateau directions, root and root * basis (B, D)."""
    one = root / np.linalg.norm(root, axis=1, keepdims=True)
    h = root * basis
    h = h - (h * one).sum(axis=1, keepdims=True) * one
    length = np.linalg.norm(h, axis=1, keepdims=True)
    h = np.where(length > 1e-8, h / np.where(length > 1e-8, length, 1.0), 0.0)
    for direction in (one, h):
        along = (vectors * direction[:, None, :]).sum(axis=2)
        vectors = vectors - along[:, :, None] * direction[:, None, :]
    return vectors
