"""How often held-out controls fall on their own side of the axis, with intervals that respect wells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Float = NDArray[np.float64]
Index = NDArray[np.intp]

RESAMPLES = 2000
BOUNDARY = 0.0
"""Side is told by the SVM's boundary, which training wells alone decide. The midpoint of the out-of-fold anchors would
have seen the labels of the wells that it judges."""


@dataclass(frozen=True)
class Confusion:
    """Counts of control wells by their role and the side they fall on."""

    positive_right: int
    positive_wrong: int
    negative_right: int
    negative_wrong: int

    @property
    def accuracy(self) -> float | None:
        """Share on their own side; None without wells."""
        right = self.positive_right + self.negative_right
        total = right + self.positive_wrong + self.negative_wrong
        return right / total if total else None


def confusion(on: Float, labels: Index) -> Confusion:
    """Of out-of-fold well scores `on` [W] with `labels` [W] (+1, -1; 0 and wells without a score do not count)."""
    known = np.isfinite(on)
    above = on > BOUNDARY
    counts = [int(np.sum(known & (labels == s) & (above == side))) for s, side in _CELLS]
    return Confusion(*counts)


_CELLS = ((1, True), (1, False), (-1, False), (-1, True))


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float] | None:
    """Wilson's score interval (1927) of a share of independent trials; None without trials."""
    if trials == 0:
        return None
    z = float(ndtri(0.5 + level / 2))
    share, square = successes / trials, z**2 / trials
    centre = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    # At the ends the bound is 0 or 1 exactly; rounding must not move it past.
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == trials else centre + half


def share_right(right: Index, tiles: Index, keep: NDArray[np.bool_]) -> float | None:
    """Share of tiles on their own side over the wells in `keep` [W] that count (`right` not negative), from counts of
    tiles [W]; None without such tiles."""
    counted = keep & (right >= 0)
    total = int(tiles[counted].sum())
    return float(right[counted].sum() / total) if total else None


def tile_accuracy_interval(
    right: Index, tiles: Index, labels: Index, rng: np.random.Generator, level: float = 0.95
) -> tuple[float, float] | None:
    """Percentile interval of the share of tiles on their own side, by drawing wells anew within each class.

    `right` and `tiles` [W] count tiles a well. Tiles of a well are not independent, so wells are what is drawn; None
    with fewer than two wells of a class. Where all tiles or none are right no draw differs: Wilson's interval for
    so many wells.
    """
    classes = [np.flatnonzero((labels == side) & (tiles > 0)) for side in (1, -1)]
    if min(map(len, classes)) < 2:
        return None
    counted = np.concatenate(classes)
    if (right == tiles)[counted].all() or not right[counted].any():
        return wilson(int((right > 0)[counted].sum()), len(counted), level)
    draws = np.zeros((2, RESAMPLES))
    for wells in classes:
        drawn = rng.choice(wells, (RESAMPLES, len(wells)))
        draws += right[drawn].sum(axis=1), tiles[drawn].sum(axis=1)
    low, high = np.quantile(draws[0] / draws[1], [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
