"""The pixels of each cell and nucleus: cells compete for pixels, so that touching cells share a border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandl.simulate.cells.morphology import CellMorphology, Floats, Numbers
from gandl.simulate.cells.population import Population

Ints = NDArray[np.int32]
FAR = np.float32(9.0)
"""The relative distance of pixels without a cell."""


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """The closed outlines of n cells: centre, angle of the long axis, mean radius in pixels, axis ratio, and the
    amplitudes and phases of their lobes [3, n]."""

    x: Floats
    y: Floats
    angle: Floats
    radius: Floats
    ratio: Floats
    lobes: Floats
    phases: Floats


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Maps [H, W]: `label` of the nearest of n cells (n where there is none), its relative distance `rho` (0 at its
    centre, 1 at its outline), and `second`, the relative distance to the nearest cell of another owner."""

    label: Ints
    rho: Floats
    second: Floats


def cell_shapes(morphology: CellMorphology, cells: Population, rng: np.random.Generator) -> Shapes:
    """Return the outlines of the cells; rounded cells are small and circular."""
    n, traits = len(cells), cells.traits
    size = np.exp(0.14 * rng.standard_normal(n))
    ratio = 1 + (morphology.elongation - 1) * rng.gamma(6, 1 / 6, n) * (1 - traits.roundness)
    radius = morphology.radius * size * traits.spread * (1 - 0.42 * traits.roundness)
    return _shapes(cells, rng, angle=cells.angle, radius=radius, ratio=ratio, lobes=traits.lobes)


def nucleus_shapes(morphology: CellMorphology, cells: Population, rng: np.random.Generator) -> Shapes:
    """Return the outlines of the nuclei, one per cell; their long axis is near that of the cell."""
    n, traits = len(cells), cells.traits
    angle = cells.angle + 0.3 * rng.standard_normal(n)
    ratio = 1 + (morphology.eccentricity - 1) * rng.gamma(5, 1 / 5, n)
    radius = morphology.nucleus * np.exp(0.10 * rng.standard_normal(n)) * traits.nucleus
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
    # High orders are weaker, as in the outlines of real cells, which are smooth.
    spread = np.array([1.0, 0.8, 0.35])[:, None] * np.abs(rng.standard_normal((3, n))) * lobes
    phases = rng.uniform(0, 2 * np.pi, (3, n))
    return Shapes(
        x=cells.x,
        y=cells.y,
        angle=angle.astype(np.float32),
        radius=radius.astype(np.float32),
        ratio=ratio.astype(np.float32),
        lobes=np.minimum(spread, 0.3).astype(np.float32),
        phases=phases.astype(np.float32),
    )


def compete(shapes: Shapes, owner: Ints, size: int) -> Regions:
    """Give each pixel to the nearest shape by relative distance: a Voronoi diagram weighted by the radii.

    (The multiplicatively weighted diagram of Aurenhammer and Edelsbrunner, 1984.)
    """
    n = len(shapes.x)
    label = np.full((size, size), n, np.int32)
    best = np.full((size, size), FAR)
    second = np.full((size, size), FAR)
    owners = np.append(owner, -1).astype(np.int32)
    # Beyond its longest half axis and its largest lobe a shape wins no pixel, so only a window is computed.
    reach = shapes.radius * np.sqrt(shapes.ratio) * 1.45 + 2
    for k in range(n):
        window = _window(shapes.x[k], shapes.y[k], reach[k], size)
        if window is None:
            continue
        rho = _relative_distance(shapes, k, window)
        leader, is_other, rival = best[window], owners[label[window]] != owner[k], second[window]
        wins = rho < leader
        # A cell of the same syncytium is no rival: no border is drawn between fused cells.
        outrun = np.where(is_other, leader, rival)
        second[window] = np.where(wins, outrun, np.where(is_other, np.minimum(rival, rho), rival))
        best[window] = np.where(wins, rho, leader)
        label[window] = np.where(wins, np.int32(k), label[window])
    return Regions(label=label, rho=best, second=second)


def _window(x: np.float32, y: np.float32, reach: np.float32, size: int) -> tuple[slice, slice] | None:
    top, bottom = max(0, int(y - reach)), min(size, int(y + reach) + 2)
    left, right = max(0, int(x - reach)), min(size, int(x + reach) + 2)
    return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None


def _relative_distance(shapes: Shapes, k: int, window: tuple[slice, slice]) -> Floats:
    """Return the distance to centre k divided by the radius of the outline in that direction, on a window.

    The outline is an ellipse of equal area times 1 + Σ lobes_m cos(mθ + phase_m), with m = 2, 3, 5. The result is 1 on
    the outline.
    """
    dy = (np.arange(window[0].start, window[0].stop, dtype=np.float32) - shapes.y[k])[:, None]
    dx = (np.arange(window[1].start, window[1].stop, dtype=np.float32) - shapes.x[k])[None, :]
    cos, sin = np.cos(shapes.angle[k]), np.sin(shapes.angle[k])
    stretch = np.sqrt(shapes.ratio[k])
    # Stretching one axis and squeezing the other keeps the area of the ellipse equal to that of a circle.
    u = (cos * dx + sin * dy) / stretch
    v = (cos * dy - sin * dx) * stretch
    r = np.sqrt(u * u + v * v) + np.float32(1e-3)
    # Cosines of multiples of θ come from the angle sums, because arctan2 would take half of the whole simulation.
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
