"""The least-squares curves of many datasets: the best points of a grid, then a polish of each."""

from __future__ import annotations

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.models import SearchSpace, Shape
from gandl_science.dose_response.solver.grids import grid_batches, search_grids
from gandl_science.dose_response.solver.means import DoseMeans, explained
from gandl_science.dose_response.solver.polish import Solution, polish

_MIN_COVERED = 0.05
"""The share of its own amplitude that a starting curve shows within the doses."""
_CURVES_PER_POLISH = 4096
"""Curves of one polish: more do not fit into the cache of a core."""


def solve(data: DoseMeans, shape: Shape, space: SearchSpace, n_starts: int = 1) -> Solution:
    """Return the least-squares curve of `shape` for each row of `data`: the best grid points, then a polish of each.

    Starts are grid points whose curve shows at least 5 % of its own amplitude within the tested doses, because beyond
    that the amplitude is arbitrary. The polish may leave them if the fit gets better.
    """
    starts = _starts(data, shape, space, n_starts)
    per_slice = max(_CURVES_PER_POLISH // n_starts, 1)
    slices = [np.arange(i, min(i + per_slice, len(starts))) for i in range(0, len(starts), per_slice)]
    solutions = []
    for curves in slices:
        rows = np.repeat(curves, n_starts)
        # All starts of all curves are polished together: a step of many rows costs little more than one of few.
        polished = polish(data.take(rows), shape, space.take(rows), starts[curves].reshape(-1, shape.n_theta))
        best = polished.misfit.reshape(-1, n_starts).argmin(axis=1)
        solutions.append(polished.take(np.arange(curves.size) * n_starts + best))
    return Solution.joined(solutions)


def _starts(data: DoseMeans, shape: Shape, space: SearchSpace, n: int) -> Float:
    """Return the n best grid points of each curve (B, n, P)."""
    starts = np.empty((len(data.pure), n, shape.n_theta))
    for batch in grid_batches(shape, data.x, space, len(data.pure)):
        grids = search_grids(shape, batch)
        gains = explained(data.take(batch.curves), grids.basis).reshape(*batch.members.shape, -1)
        covered = np.ptp(grids.basis, axis=1) >= _MIN_COVERED
        np.copyto(gains, -1.0, where=~covered[:, None])
        points = _largest(gains, n).reshape(-1, n)
        starts[batch.curves] = grids.theta(np.repeat(np.arange(batch.n_curves), n), points.ravel()).reshape(
            -1, n, shape.n_theta
        )
    return starts


def _largest(gains: Float, n: int) -> Index:
    """Return the indices (S, M, n) of the largest gains (S, M, G)."""
    return gains.argmax(axis=2)[:, :, None] if n == 1 else np.argpartition(gains, -n, axis=2)[:, :, -n:]
