"""Many searches that advance together: what they ask of the solver is answered by one polish of all their curves.

A step of the solver costs nearly the same for ten curves as for a thousand. The ends of intervals of different
quantities (EC50s, slopes, the dose of a level) are found by searches of many steps each, which do not depend on each
other. A search is a generator: it yields a `ProfileRequest`, goes on with its `Solution`, and returns its result.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.models import SearchSpace, Shape
from gandl_science.dose_response.solver.means import DoseMeans
from gandl_science.dose_response.solver.polish import Solution, polish

_TOLERANCE = 1e-5
"""The criterion of a polish on the way: an end of an interval needs fewer digits than the estimate."""
_ROWS_PER_POLISH = 1024
"""Curves of one polish: more do not fit into the cache of a core."""
_FREE = -1


@dataclass(frozen=True, kw_only=True)
class ProfileRequest:
    """The best curves of N rows are wanted, from theta `start` (N, P) and in at most `max_steps`.

    `fixed` (N,) is the index of the entry of theta that keeps its value; None: there is none.
    """

    data: DoseMeans
    space: SearchSpace
    start: Float
    fixed: Index | None = None
    max_steps: int


Steps = Generator[ProfileRequest, Solution, Float]
"""A part of a search that returns one number per curve."""
Search = Generator[ProfileRequest, Solution, tuple[Float, ...]]


def run_together(searches: Sequence[Search], shape: Shape) -> list[tuple[Float, ...]]:
    """Return the results of searches for curves of one shape, in order."""
    results: dict[int, tuple[Float, ...]] = {}
    answers: dict[int, Solution | None] = dict.fromkeys(range(len(searches)))
    while answers:
        requests: dict[int, ProfileRequest] = {}
        for i, answer in answers.items():
            try:
                requests[i] = next(searches[i]) if answer is None else searches[i].send(answer)
            except StopIteration as end:
                results[i] = end.value
        answers = dict(zip(requests, _answers(list(requests.values()), shape), strict=True))
    return [results[i] for i in range(len(searches))]


def _answers(requests: Sequence[ProfileRequest], shape: Shape) -> list[Solution]:
    """Return the solution of each request, from polishes of all their rows."""
    if not requests:
        return []
    n_doses = max(request.data.n_doses for request in requests)
    data = _joined([_padded(request.data, n_doses) for request in requests])
    start = np.concatenate([request.start for request in requests])
    sizes = [len(request.start) for request in requests]
    ends = [
        np.concatenate([np.broadcast_to(getattr(r.space, end), n) for r, n in zip(requests, sizes, strict=True)])
        for end in ("low", "high")
    ]
    first = requests[0].space
    space = SearchSpace(low=ends[0], high=ends[1], slope_low=first.slope_low, slope_high=first.slope_high)
    fixed = np.concatenate(
        [np.full(n, _FREE) if r.fixed is None else r.fixed for r, n in zip(requests, sizes, strict=True)]
    )
    max_steps = np.repeat([request.max_steps for request in requests], sizes)
    parts = [np.arange(i, min(i + _ROWS_PER_POLISH, len(start))) for i in range(0, len(start), _ROWS_PER_POLISH)]
    polished = [
        polish(
            data.take(rows),
            shape,
            space.take(rows),
            start[rows],
            fixed=fixed[rows],
            tolerance=_TOLERANCE,
            max_steps=max_steps[rows],
        )
        for rows in parts
    ]
    solution = Solution.joined(polished)
    return [solution.take(rows) for rows in np.split(np.arange(len(start)), np.cumsum(sizes)[:-1])]


def _joined(parts: Sequence[DoseMeans]) -> DoseMeans:
    names = ("x", "weight", "mean", "pure")
    return DoseMeans(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _padded(data: DoseMeans, n_doses: int) -> DoseMeans:
    """Return the data with the doses of each curve, and further ones without weight up to `n_doses`."""
    x = np.broadcast_to(data.x, data.mean.shape)
    further = ((0, 0), (0, n_doses - data.n_doses))
    if n_doses == data.n_doses:
        return DoseMeans(x, data.weight, data.mean, data.pure)
    return DoseMeans(np.pad(x, further), np.pad(data.weight, further), np.pad(data.mean, further), data.pure)
