"""The geometry of a field: which pixels are cells and nuclei, how deep inside and how thick, before any stain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandl.simulate.cells.morphology import CellMorphology, Floats, Traits
from gandl.simulate.cells.outlines import Ints, Regions, Shapes, cell_shapes, compete, nucleus_shapes
from gandl.simulate.cells.population import Population


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """The geometry that all stains of a field share.

    Maps are [H, W]. Traits are arrays [n + 1] with a zero for the background, so that a label map indexes them.
    """

    size: int
    morphology: CellMorphology
    cells: Population
    traits: Traits[Floats]
    nuclei: Shapes
    label: Ints
    nucleus_label: Ints
    inside: Floats
    """1 inside a cell, soft at its outline."""
    nuclear: Floats
    """1 inside a nucleus, soft at its outline."""
    depth: Floats
    """Pixels to the nearest border or outline of the cell."""
    nuclear_depth: Floats
    height: Floats
    """Relative thickness of the cell."""
    dx: Floats
    """Column of the pixel minus that of the centre of its cell."""
    dy: Floats
    stain: Floats
    """Staining of each cell with its natural spread, [5, n + 1]."""

    def cell(self, values: Floats) -> Floats:
        """Return the value of each cell on its pixels."""
        return values[self.label]

    def nucleus(self, values: Floats) -> Floats:
        """Return the value of each cell on the pixels of its nucleus."""
        return values[self.nucleus_label]


def prepare(morphology: CellMorphology, cells: Population, size: int, rng: np.random.Generator) -> Canvas:
    """Let the cells compete for pixels and return the shared maps."""
    outlines, nuclei = cell_shapes(morphology, cells, rng), nucleus_shapes(morphology, cells, rng)
    # Nuclei compete among themselves, each on its own: two nuclei of a syncytium touch but never merge.
    body = compete(outlines, cells.owner, size)
    core = compete(nuclei, np.arange(len(cells), dtype=np.int32), size)
    traits = _with_background(cells.traits)
    # The label n of the background points at these last elements, and any value does there.
    radius = np.append(outlines.radius, np.float32(1))
    # The border between two cells is where both relative distances are equal, half their difference away.
    depth = np.minimum(1 - body.rho, 0.5 * (body.second - body.rho)) * radius[body.label]
    # Masks are soft over two pixels, as the edge of a cell in an image is.
    inside = np.clip((1 - body.rho) * radius[body.label] / 2.0 + 0.5, 0, 1)
    rim = (1 - core.rho) * np.append(nuclei.radius, np.float32(1))[core.label]
    nuclear = np.clip(rim / 1.6 + 0.5, 0, 1)
    row, column = np.mgrid[0:size, 0:size].astype(np.float32)
    return Canvas(
        size=size,
        morphology=morphology,
        cells=cells,
        traits=traits,
        nuclei=nuclei,
        label=body.label,
        nucleus_label=core.label,
        inside=np.maximum(inside, nuclear),
        nuclear=nuclear,
        depth=depth,
        nuclear_depth=rim,
        height=_height(traits, body),
        dx=column - np.append(cells.x, np.float32(0))[body.label],
        dy=row - np.append(cells.y, np.float32(0))[body.label],
        stain=_staining(morphology, cells, rng),
    )


def _with_background(traits: Traits[Floats]) -> Traits[Floats]:
    return Traits(*(np.append(values, np.float32(0)) for values in vars(traits).values()))


def _height(traits: Traits[Floats], body: Regions) -> Floats:
    """Return the relative thickness: flat cells thin out to their border, round cells are balls of equal volume."""
    roundness = traits.roundness[body.label]
    inner = np.clip(1 - body.rho**2, 0, 1)
    flat = 0.45 + 0.55 * inner
    ball = 1.45 * np.sqrt(inner)
    return np.asarray(flat + roundness * (ball - flat), np.float32)


def _staining(morphology: CellMorphology, cells: Population, rng: np.random.Generator) -> Floats:
    """Return the brightness of each cell in each stain [5, n + 1]: log-normal and partly shared between the stains."""
    shared = 0.16 * rng.standard_normal(len(cells))
    own = np.array([0.14, 0.22, 0.24, 0.2, 0.24])[:, None] * rng.standard_normal((5, len(cells)))
    factors = np.array(morphology.brightness)[:, None] * np.exp(shared + own)
    return np.append(factors, np.zeros((5, 1)), axis=1).astype(np.float32)
