"""The search grids of curves: the points from which a search starts, and the curves at them.

Everything but the EC50 is the same with doses that are multiplied by a constant, so curves of one spacing of doses
share a grid. Compounds with doses of their own have a grid each; grids of equal size are computed in batches, because
one operation on many small arrays takes hardly longer than on one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.models import HILL, VEHICLE, SearchSpace, Shape, rise_table

_MIN_LOCATIONS, _LOCATIONS_PER_DECADE, _SLOPES = 21, 10, 12
"""The search grid of a Hill curve. A curve between two grid points is within the reach of the polish."""
_MIN_BELL_LOCATIONS, _MAX_BELL_LOCATIONS, _BELL_LOCATIONS_PER_DECADE, _BELL_SLOPES = 13, 25, 3, 4
"""The search grid of a gain-loss curve, which is coarser because it has four dimensions."""
_SPACING_DIGITS = 9
"""The digits of log10 dose to which two series of doses are compared."""
_POINTS_PER_BATCH, _CURVES_PER_BATCH = 20_000, 256
"""Grid points, and curves, of one batch: more do not fit into the cache of a core."""


@dataclass(frozen=True, kw_only=True)
class SpacingBatch:
    """S spacings of doses and M curves of each, whose doses are the same but for a constant factor.

    `members` (S, M) are the indices of the curves. `x` (S, D) and `space` are log10 dose and search space with the
    lower end of the search at zero; `low` (S, M) is where that end is for each curve.
    """

    members: Index
    x: Float
    space: SearchSpace
    low: Float

    @property
    def curves(self) -> Index:
        """The indices (S * M,) of all curves in order."""
        return self.members.reshape(-1)

    @property
    def n_curves(self) -> int:
        """The number of curves, S * M."""
        return int(self.members.size)

    def take(self, spacings: Index) -> SpacingBatch:
        """Return the spacings at these indices."""
        return replace(
            self,
            members=self.members[spacings],
            x=self.x[spacings],
            space=self.space.take(spacings),
            low=self.low[spacings],
        )


@dataclass(frozen=True, kw_only=True)
class SearchGrids:
    """The starting points of S spacings, G each, that cover the search space.

    `basis` (S, D, G) are their curves. An entry of theta is one of `locations` (S, L) or of `slopes` (K,), and `index`
    (P, G) says which. `low` (S, M) is added to the locations of a curve.
    """

    shape: Shape
    basis: Float
    locations: Float
    slopes: Float
    index: Index
    low: Float

    def take(self, spacings: slice) -> SearchGrids:
        """Return the grids of these spacings."""
        return replace(self, basis=self.basis[spacings], locations=self.locations[spacings], low=self.low[spacings])

    def theta(self, curves: Index, points: Index) -> Float:
        """Return theta (N, P) of grid points (N,) at the doses of curves (N,), which are numbered from 0 to S * M."""
        spacing, index = curves // self.low.shape[1], self.index[:, points]
        low = self.low.reshape(-1)[curves]
        columns = [
            self.locations[spacing, row] + low if k in self.shape.locations else self.slopes[row]
            for k, row in enumerate(index)
        ]
        return np.column_stack(columns)

    def location(self, entry: int) -> Float:
        """Return the locations (S, G) of the entry of theta, without the shift of each curve."""
        return np.asarray(self.locations[:, self.index[entry]])


def spacing_batches(
    x: Float,
    space: SearchSpace,
    n_curves: int,
    n_points: Callable[[Float], Index],
    *,
    max_points: int,
    max_curves: int | None = None,
) -> list[SpacingBatch]:
    """Return the curves of each spacing of doses; x (D,) or (n_curves, D) is log10 dose.

    Spacings are compared to 1e-9 decades, and the rounded doses are used, so that they depend on no other curve.
    `n_points` returns the points of the grids of search spaces of some lengths (S,); a batch has grids of equal size,
    `max_points` of them, and at most `max_curves` curves (None: any number) unless it has one of each.
    """
    low, high = (np.broadcast_to(np.asarray(end, float), n_curves) for end in (space.low, space.high))
    relative = np.where(x <= VEHICLE / 2, VEHICLE, np.round(x - low[:, None], _SPACING_DIGITS))
    lengths = np.round(high - low, _SPACING_DIGITS)
    first, code = np.unique(np.column_stack([relative, lengths]), axis=0, return_index=True, return_inverse=True)[1:]
    order = np.argsort(code.ravel(), kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(code.ravel()))[:-1])
    sizes = n_points(lengths[first]).tolist()
    alike: dict[tuple[int, int], list[tuple[int, Index]]] = defaultdict(list)
    for i, size, members in zip(first.tolist(), sizes, groups, strict=True):
        step = members.size if max_curves is None else max_curves
        for start in range(0, members.size, step):
            part = members[start : start + step]
            alike[size, part.size].append((i, part))
    batches = []
    for (size, n_members), parts in alike.items():
        step = max(min(max_points // size, n_curves if max_curves is None else max_curves // n_members), 1)
        for start in range(0, len(parts), step):
            own = np.array([i for i, _ in parts[start : start + step]])
            curves = np.stack([part for _, part in parts[start : start + step]])
            own_space = replace(space, low=np.zeros(own.size), high=lengths[own])
            batches.append(SpacingBatch(members=curves, x=relative[own], space=own_space, low=low[curves]))
    return batches


def grid_batches(shape: Shape, x: Float, space: SearchSpace, n_curves: int) -> list[SpacingBatch]:
    """Return the batches in which the search grids of a shape are computed; see `spacing_batches`."""

    def n_points(length: Float) -> Index:
        n = _n_locations(shape, length)
        return n * _SLOPES if shape is HILL else n * (n - 1) // 2 * _BELL_SLOPES**2

    return spacing_batches(x, space, n_curves, n_points, max_points=_POINTS_PER_BATCH, max_curves=_CURVES_PER_BATCH)


def search_grids(shape: Shape, batch: SpacingBatch) -> SearchGrids:
    """Return the grids of a batch; there are ten EC50s per decade for Hill, and three for gain-loss."""
    space, n_spacings = batch.space, len(batch.x)
    n_locations = int(_n_locations(shape, np.asarray(space.high)[:1])[0])
    locations = np.linspace(space.low, space.high, n_locations, axis=-1)
    # Slopes are spaced evenly in logarithm: curves differ most between shallow slopes.
    slopes = np.linspace(*space.slopes, _SLOPES if shape is HILL else _BELL_SLOPES)
    table = rise_table(batch.x, locations, slopes)
    if shape is HILL:
        basis, index = table, np.indices((_SLOPES, n_locations))[::-1].reshape(2, -1)
    else:
        index, (first, second) = _bell_index(n_locations), np.triu_indices(n_locations, 1)
        basis = table[:, :, :, None, first] * (1.0 - table)[:, :, None, :, second]
    return SearchGrids(
        shape=shape,
        basis=basis.reshape(n_spacings, batch.x.shape[1], -1),
        locations=locations,
        slopes=slopes,
        index=index,
        low=batch.low,
    )


@lru_cache
def _bell_index(n_locations: int) -> Index:
    """Return which locations and slopes (4, G) the points of a gain-loss grid have.

    A loss before the gain leaves hardly any peak to fit, so only pairs of locations in order are used.
    """
    slopes = np.arange(_BELL_SLOPES)[:, None]
    columns = np.broadcast_arrays(*np.triu_indices(n_locations, 1), slopes[:, :, None], slopes)
    return np.stack([column.ravel() for column in columns])


def _n_locations(shape: Shape, length: Float) -> Index:
    """Return the number of locations of the grids of search spaces of these lengths (S,), in decades."""
    if shape is HILL:
        return np.asarray(np.maximum(_MIN_LOCATIONS, np.rint(_LOCATIONS_PER_DECADE * length).astype(int) + 1))
    count = np.maximum(_MIN_BELL_LOCATIONS, np.rint(_BELL_LOCATIONS_PER_DECADE * length).astype(int) + 1)
    return np.asarray(np.minimum(_MAX_BELL_LOCATIONS, count))
