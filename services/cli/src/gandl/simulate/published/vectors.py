"""A simulated published embedding: vectors that are drawn from the truth of a well, and not computed from its image.

They stand where the publisher has the output of a network that is not released. What they separate is decided here and
says nothing about any network.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gandl.simulate.cells.pharmacology import WellState
from gandl.simulate.seeds import Stream, stream

Vector = NDArray[np.float32]

_CELL_TYPE, _INFECTION, _OWN_INFECTION, _TOXICITY, _PLATE, _WELL, _NOISE = 6.0, 2.0, 1.2, 3.0, 0.8, 0.6, 0.35
"""Sizes of what a vector holds. The lengths of directions are in units of which the noise of a feature is 0.35."""
_PLATE_DIRECTIONS = 12


@dataclass(frozen=True, kw_only=True)
class VectorDrawing:
    """How vectors of F `features` are drawn for the cell types of a data set; `seed` is that of the data set."""

    features: int
    cell_types: tuple[str, ...]
    seed: int

    def draw(self, cell_type: str, state: WellState, plate: int, rng: np.random.Generator) -> Vector:
        """Return the vector [F] of a field of a well in this state on the plate with this index.

        Infection and toxicity move it along directions that the cell types share, and infection also along one of the
        cell type alone.
        """
        kind = self.cell_types.index(cell_type)
        shared, own = self._directions
        effects = stream(self.seed, Stream.PLATE, plate, self.features).standard_normal(_PLATE_DIRECTIONS)
        infected = state.infected * (1 - state.toxicity)
        mean = (
            _CELL_TYPE * own[kind]
            + infected * (_INFECTION * shared[0] + _OWN_INFECTION * own[len(self.cell_types) + kind])
            + _TOXICITY * state.toxicity * shared[1]
            + _PLATE * effects @ shared[2:]
        )
        # Wells differ along the infection too, as cells of any culture do.
        mean = mean + _WELL * float(rng.standard_normal()) * shared[0]
        return np.asarray(mean + _NOISE * rng.standard_normal(self.features), np.float32)

    @cached_property
    def _directions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Unit vectors: the shared ones, and two for each cell type."""
        count = 2 + _PLATE_DIRECTIONS + 2 * len(self.cell_types)
        rows = stream(self.seed, Stream.LAYOUT, self.features, 1).standard_normal((count, self.features))
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit[: 2 + _PLATE_DIRECTIONS], unit[2 + _PLATE_DIRECTIONS :]
