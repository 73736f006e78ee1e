"""The cells of a field: their places, and which of them are infected, poisoned or fused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gandl.simulate.cells.morphology import SYNCYTIUM_CHANCE, CellMorphology, Floats, Traits, traits_of
from gandl.simulate.cells.pharmacology import WellState

MARGIN = 30.0
"""Cells are also placed this far outside the field, in pixels, so that its border cuts some of them."""
FOCUS_LENGTH = 70.0
"""The size of an infected focus, in pixels. Most tiles have one phenotype then, so that mixtures stay linear."""
MAX_SYNCYTIUM = 6


@dataclass(frozen=True, kw_only=True)
class Population:
    """The n cells of a field: positions in pixels, orientation, traits, and the cell that each is fused with
    (`owner`, itself for a single cell)."""

    x: Floats
    y: Floats
    angle: Floats
    traits: Traits[Floats]
    owner: NDArray[np.int32]
    lost: Floats
    """x and y of cells that detached and left debris, [m, 2]."""

    def __len__(self) -> int:
        return len(self.x)


def populate(
    morphology: CellMorphology, state: WellState, density: float, size: int, rng: np.random.Generator
) -> Population:
    """Draw the cells of one field of size × size pixels. `density` scales the number of cells per area."""
    points = scatter(size, morphology.spacing / float(np.sqrt(density)), rng)
    weights = phenotypes(points, state, rng)
    traits = traits_of(weights)
    stays = rng.random(len(points)) < traits.survival
    lost = points[~stays & (rng.random(len(points)) < 0.4)]
    points, weights = points[stays], weights[stays]
    owner = fuse(points, weights, 1.5 * morphology.spacing, rng)
    points = gathered(points, owner)
    x, y = points.T
    angle = orientations(points, morphology.alignment, rng)
    traits = _flattened(traits_of(weights), owner)
    return Population(x=x, y=y, angle=angle, traits=traits, owner=owner, lost=lost)


def scatter(size: int, spacing: float, rng: np.random.Generator) -> Floats:
    """Return points [n, 2] about `spacing` apart: a jittered, randomly shifted hexagonal grid over field and margin."""
    # With this distance between rows, a hexagonal grid has one point per spacing².
    step = spacing * np.sqrt(np.sqrt(3) / 2)
    pitch = spacing * spacing / step
    reach = size + 2 * MARGIN
    rows, columns = np.meshgrid(np.arange(reach // step + 2), np.arange(reach // pitch + 2), indexing="ij")
    # The whole grid is shifted at random, so that no cell has the same place in every field.
    x = (columns + 0.5 * (rows % 2) - rng.random()) * pitch - MARGIN
    y = (rows - rng.random()) * step - MARGIN
    points = np.stack([x.ravel(), y.ravel()], axis=1) + 0.2 * spacing * rng.standard_normal((x.size, 2))
    # Some places stay empty, since no real culture is perfectly confluent.
    points = points[rng.random(len(points)) < 0.96]
    inside = np.all((points > -MARGIN) & (points < size + MARGIN), axis=1)
    return points[inside].astype(np.float32)


def phenotypes(points: Floats, state: WellState, rng: np.random.Generator) -> Floats:
    """Return weights [n, 3] of the healthy, infected and poisoned phenotype; the fractions are met within one cell."""
    n = len(points)
    # Severity does not depend on dose: a dose changes how many cells are infected, not how ill they are.
    severity = np.where(_lowest(smooth(points, rng), state.infected, rng), rng.beta(6, 1.5, n), rng.beta(1, 14, n))
    poison = np.where(_lowest(smooth(points, rng), state.toxicity, rng), rng.beta(7, 1.2, n), 0.0)
    healthy = (1 - severity) * (1 - poison)
    return np.stack([healthy, severity * (1 - poison), poison], axis=1).astype(np.float32)


def smooth(points: Floats, rng: np.random.Generator) -> Floats:
    """Return a random function of the place, of unit variance, correlated over FOCUS_LENGTH, with noise per cell."""
    # A sum of random plane waves approximates a Gaussian random field (Rahimi and Recht, 2007).
    waves = rng.standard_normal((2, 12)) / FOCUS_LENGTH * 1.6
    phases = rng.uniform(0, 2 * np.pi, 12)
    # Twelve waves of variance 1/2 each, scaled to a variance of one.
    value = np.cos(points @ waves + phases).sum(axis=1) * np.sqrt(2 / 12)
    return np.asarray(value + 0.35 * rng.standard_normal(len(points)), np.float32)


def _lowest(values: Floats, fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Select a fraction of the cells, those of the lowest values; a fractional cell is drawn, so the mean is exact."""
    count = int(np.floor(fraction * len(values) + rng.random()))
    selected = np.zeros(len(values), bool)
    selected[np.argsort(values, kind="stable")[:count]] = True
    return selected


def fuse(points: Floats, weights: Floats, reach: float, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return for each cell the cell whose syncytium it belongs to, itself if it is single. Only infected cells fuse."""
    owner = np.arange(len(points), dtype=np.int32)
    infected = weights[:, 1] > 0.5
    for seed in np.flatnonzero(infected & (rng.random(len(points)) < SYNCYTIUM_CHANCE)):
        if owner[seed] != seed:
            continue
        distance = np.hypot(*(points - points[seed]).T)
        free = np.flatnonzero(infected & (distance < reach) & (owner == np.arange(len(points))))
        members = free[np.argsort(distance[free], kind="stable")][: int(rng.integers(3, MAX_SYNCYTIUM + 1))]
        # A cell that others are fused with already must not join another syncytium.
        if not np.isin(members, owner[owner != np.arange(len(points))]).any():
            owner[members] = seed
    return owner


def gathered(points: Floats, owner: NDArray[np.int32]) -> Floats:
    """Return the points with the nuclei of each syncytium gathered: each moves towards the cell it is fused with."""
    return points + np.float32(0.3) * (points[owner] - points)


def _flattened(traits: Traits[Floats], owner: NDArray[np.int32]) -> Traits[Floats]:
    """Return the traits with flat syncytia: their cells keep the infected look but do not shrink and round up."""
    fused = np.bincount(owner, minlength=len(owner))[owner] > 1
    spread = np.where(fused, np.float32(1.05), traits.spread)
    roundness = np.where(fused, np.float32(0.1), traits.roundness)
    return replace(traits, spread=spread, roundness=roundness)


def orientations(points: Floats, alignment: float, rng: np.random.Generator) -> Floats:
    """Return angles in radians. A fraction `alignment` of the cells is parallel to its neighbours."""
    shared = 1.2 * smooth(points, rng) + rng.uniform(0, np.pi)
    own = rng.uniform(0, np.pi, len(points))
    return np.where(rng.random(len(points)) < alignment, shared, own).astype(np.float32)
