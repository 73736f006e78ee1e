"""The accuracy of an axis on held-out controls, with intervals that respect wells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from gandl_science.arrays import Float, Index, Mask

RESAMPLES = 2000
BOUNDARY = 0.0
"""The score at which the sides of an axis meet. It is the boundary of the SVM, which training wells alone decide. The
midpoint between the out-of-fold anchors (efficacy 0) would depend on the labels of the wells that are classified."""


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts of control wells by their role and by the side of the axis on which their score is."""

    positive_right: int
    positive_wrong: int
    negative_right: int
    negative_wrong: int

    @property
    def right(self) -> int:
        """The number of wells on their own side."""
        return self.positive_right + self.negative_right

    @property
    def total(self) -> int:
        """The number of wells that were classified."""
        return self.right + self.positive_wrong + self.negative_wrong

    @property
    def accuracy(self) -> float | None:
        """The share of wells on their own side; None without wells."""
        return self.right / self.total if self.total else None


def confusion(on: Float, labels: Index) -> Confusion:
    """Classify control wells by their out-of-fold scores `on` [W] and count them.

    `labels` [W] are +1 and -1 for controls. Wells with label 0 or without a score are not counted.
    """
    scored = np.isfinite(on)
    above = on > BOUNDARY
    positive, negative = scored & (labels == 1), scored & (labels == -1)
    return Confusion(
        positive_right=int(np.sum(positive & above)),
        positive_wrong=int(np.sum(positive & ~above)),
        negative_right=int(np.sum(negative & ~above)),
        negative_wrong=int(np.sum(negative & above)),
    )


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float] | None:
    """Return Wilson's score interval (1927) of a share of independent trials; None without trials."""
    if trials == 0:
        return None
    # scipy.stats.binomtest gives the same interval up to the last bit of a float in half of the cases. The formula is
    # kept here, so that stored results stay equal bit for bit and no exact test is computed beside it.
    z = float(ndtri(0.5 + level / 2))
    share, square = successes / trials, z**2 / trials
    centre = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    # The bound at an end is exactly 0 or 1, and rounding must not move it beyond.
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == trials else centre + half


def share_right(tiles_right: Index, n_tiles: Index, wells: Mask) -> float | None:
    """Return the share of tiles on their own side over the wells in `wells` [W]; None without such tiles.

    `tiles_right` and `n_tiles` [W] count tiles per well. A well whose `tiles_right` is negative was not classified.
    """
    counted = wells & (tiles_right >= 0)
    total = int(n_tiles[counted].sum())
    return float(tiles_right[counted].sum() / total) if total else None


def tile_accuracy_interval(
    tiles_right: Index, n_tiles: Index, labels: Index, rng: np.random.Generator, level: float = 0.95
) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval (Efron 1979) of the share of tiles on their own side.

    `tiles_right` and `n_tiles` [W] count tiles per well, and `labels` [W] are +1, -1 or 0. The result is None with
    fewer than two wells of a class. Where all tiles or none are right, all resamples are equal, and the result is
    Wilson's interval for as many wells.
    """
    classes = [np.flatnonzero((labels == side) & (n_tiles > 0)) for side in (1, -1)]
    if min(map(len, classes)) < 2:
        return None
    counted = np.concatenate(classes)
    if (tiles_right == n_tiles)[counted].all() or not tiles_right[counted].any():
        return wilson(int((tiles_right > 0)[counted].sum()), len(counted), level)
    counts = np.zeros((2, RESAMPLES))
    for wells in classes:
        # Tiles of one well are not independent, so whole wells are resampled, within each class.
        resampled = rng.choice(wells, (RESAMPLES, len(wells)))
        counts += tiles_right[resampled].sum(axis=1), n_tiles[resampled].sum(axis=1)
    low, high = np.quantile(counts[0] / counts[1], [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
