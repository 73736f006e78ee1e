"""Which pixel belongs to which cell and nucleus: cells compete for pixels, so touching cells share a border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandl.simulate.cells.morphology import CellLine, Floats, Numbers
from gandl.simulate.cells.population import Population

Ints = NDArray[np.int32]
FAR = np.float32(9.0)


@dataclass(frozen=True)
class Shapes:
    """n closed outlines: centre, angle of the long axis, mean radius in pixels, axis ratio, lobes and phases [3, n]."""

    x: Floats
    y: Floats
    angle: Floats
    radius: Floats
    ratio: Floats
    lobes: Floats
    phases: Floats


@dataclass(frozen=True)
class Regions:
    """Maps [H, W]: `label` of the winner (n where there is none), its relative distance `rho` (0 centre, 1 outline),
    and `second`, the relative distance to the nearest cell that has another owner."""

    label: Ints
    rho: Floats
    second: Floats


def cell_shapes(line: CellLine, cells: Population, rng: np.random.Generator) -> Shapes:
    """Outlines of the cells; rounded ones are small and circular."""
    n, traits = len(cells), cells.traits
    size = np.exp(0.14 * rng.standard_normal(n))
    ratio = 1 + (line.elongation - 1) * rng.gamma(6, 1 / 6, n) * (1 - traits.roundness)
    radius = line.radius * size * traits.spread * (1 - 0.42 * traits.roundness)
    return _shapes(cells, rng, angle=cells.angle, radius=radius, ratio=ratio, lobes=traits.lobes)


def nucleus_shapes(line: CellLine, cells: Population, rng: np.random.Generator) -> Shapes:
    """Outlines of the nuclei, one a cell, their long axis near the cell's."""
    n, traits = len(cells), cells.traits
    angle = cells.angle + 0.3 * rng.standard_normal(n)
    ratio = 1 + (line.eccentricity - 1) * rng.gamma(5, 1 / 5, n)
    radius = line.nucleus * np.exp(0.10 * rng.standard_normal(n)) * traits.nucleus
    return _shapes(cells, rng, angle=angle, radius=radius, ratio=ratio, lobes=traits.crumple)


def _shapes(
    cells: Population,
    rng: np.random.Generator,
    *,
    angle: Numbers,
    radius: Numbers,
    ratio: Numbers,
    lobes: Floats,
) -> Shapes:
    n = len(cells)
    spread = np.array([1.0, 0.8, 0.35])[:, None] * np.abs(rng.standard_normal((3, n))) * lobes
    phases = rng.uniform(0, 2 * np.pi, (3, n))
    return Shapes(
        cells.x,
        cells.y,
        angle.astype(np.float32),
        radius.astype(np.float32),
        ratio.astype(np.float32),
        np.minimum(spread, 0.3).astype(np.float32),
        phases.astype(np.float32),
    )


def compete(shapes: Shapes, owner: Ints, size: int) -> Regions:
    """Give each pixel to the shape it lies deepest in (a Voronoi diagram weighted by the radii)."""
    n = len(shapes.x)
    label = np.full((size, size), n, np.int32)
    best = np.full((size, size), FAR)
    second = np.full((size, size), FAR)
    owners = np.append(owner, -1).astype(np.int32)
    reach = shapes.radius * np.sqrt(shapes.ratio) * 1.45 + 2
    for k in range(n):
        window = _window(shapes.x[k], shapes.y[k], reach[k], size)
        if window is None:
            continue
        rho = _relative_distance(shapes, k, window)
        mine, theirs, rival = best[window], owners[label[window]] != owner[k], second[window]
        wins = rho < mine
        second[window] = np.where(wins, np.where(theirs, mine, rival), np.where(theirs, np.minimum(rival, rho), rival))
        best[window] = np.where(wins, rho, mine)
        label[window] = np.where(wins, np.int32(k), label[window])
    return Regions(label, best, second)


def _window(x: np.float32, y: np.float32, reach: np.float32, size: int) -> tuple[slice, slice] | None:
    top, bottom = max(0, int(y - reach)), min(size, int(y + reach) + 2)
    left, right = max(0, int(x - reach)), min(size, int(x + reach) + 2)
    return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None


def _relative_distance(shapes: Shapes, k: int, window: tuple[slice, slice]) -> Floats:
    """Distance to centre k over the outline's radius in that direction, on a window; 1 on the outline.

    The outline is an ellipse of equal area times 1 + Σ lobes_m cos(mθ + phase_m), m = 2, 3, 5; the cosines come from
    Chebyshev recurrences, because arctan2 would be half of the whole simulation.
    """
    dy = (np.arange(window[0].start, window[0].stop, dtype=np.float32) - shapes.y[k])[:, None]
    dx = (np.arange(window[1].start, window[1].stop, dtype=np.float32) - shapes.x[k])[None, :]
    cos, sin = np.cos(shapes.angle[k]), np.sin(shapes.angle[k])
    stretch = np.sqrt(shapes.ratio[k])
    u = (cos * dx + sin * dy) / stretch
    v = (cos * dy - sin * dx) * stretch
    r = np.sqrt(u * u + v * v) + np.float32(1e-3)
    c, s = u / r, v / r
    c2, s2 = c * c - s * s, 2 * c * s
    c3, s3 = c * c2 - s * s2, s * c2 + c * s2
    c5, s5 = c2 * c3 - s2 * s3, s2 * c3 + c2 * s3
    outline = np.float32(1)
    for amplitude, phase, cm, sm in zip(
        shapes.lobes[:, k], shapes.phases[:, k], (c2, c3, c5), (s2, s3, s5), strict=True
    ):
        outline = outline + amplitude * (np.cos(phase) * cm - np.sin(phase) * sm)
    return np.asarray(r / (shapes.radius[k] * np.maximum(outline, np.float32(0.3))), np.float32)
