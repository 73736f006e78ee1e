"""Confounding: whether the vectors of control wells reveal a plate, row, column or site, which should not matter.

Each unit (a well or a site) is assigned to the group with the nearest centroid in the leading principal components; the
centroid of its own group is taken without it. Differences that are expected between units (their stratum: the control
class, or the well for sites) are removed first. The accuracy is compared with that of permuted groups. Permutations
stay within strata, so that a column with controls of one class alone is no sign of confounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index, group_means
from gandl_science.threads import row_blocks

PERMUTATIONS = 499
_MAX_COMPONENTS = 20
_BLOCK = 2048  # units
_TOGETHER = 2**13  # closenesses of units to centroids: as many permutations at once as stay in the cache
_UNITS_PER_COMPONENT = 5  # a rule of thumb: a centroid of fewer units is noise in more directions


@dataclass(frozen=True, kw_only=True)
class ConfoundingTest:
    """The leave-one-out `accuracy` with which `n` units were assigned to `classes` groups.

    `chance` is the mean accuracy under permutation. `p_value` is (1 + permutations that are as accurate) /
    (1 + permutations) (Phipson and Smyth 2010).
    """

    classes: int
    n: int
    accuracy: float
    chance: float
    p_value: float


def confounding_test(
    units: Float, groups: Sequence[str], strata: Index, rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> ConfoundingTest | None:
    """Test whether mean vectors `units` [n, F] reveal their `groups` [n], given their `strata` [n].

    The result is None where the test is impossible: there are fewer than two groups of two units, or no permutation
    within strata changes the groups because each stratum has one group only.
    """
    codes = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    usable = (np.bincount(codes) > 1)[codes] & np.isfinite(units).all(axis=1)
    if not usable.all():
        codes, strata, units = codes[usable], strata[usable], units[usable]
    if len(np.unique(codes)) < 2 or not _can_permute(codes, strata):
        return None
    scores = _components(_without_strata(units, strata))
    codes, strata = (np.unique(x, return_inverse=True)[1] for x in (codes, strata))
    accuracy = float(_accuracies(scores, codes[None])[0])
    null = _null(scores, codes, strata, rng, permutations)
    return ConfoundingTest(
        classes=int(codes.max()) + 1,
        n=len(codes),
        accuracy=accuracy,
        chance=float(null.mean()),
        p_value=(1 + int(np.sum(null >= accuracy))) / (1 + permutations),
    )


def _can_permute(codes: Index, strata: Index) -> bool:
    # A stratum with several codes is in several of the pairs.
    pairs = np.unique(np.stack([strata, codes], axis=1), axis=0)
    return len(pairs) > len(np.unique(strata))


def _without_strata(units: Float, strata: Index) -> Float:
    index = np.unique(strata, return_inverse=True)[1]
    means = group_means(units, index, int(index.max()) + 1)
    residual = units.astype(np.float64)
    # Block by block, because a large screen has no room for another copy.
    for rows in row_blocks(slice(0, len(residual)), _BLOCK):
        residual[rows] -= means[index[rows]]
    return residual


def _components(residual: Float) -> Float:
    """Return the scores [n, K] on the leading principal components: one per five units, at most twenty.

    The residuals are centred in place. The scores keep their variances, because a difference between units that exceeds
    noise has a large variance.
    """
    centred = residual
    centred -= residual.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    # Directions whose variance is only rounding error carry no information.
    rank = int(np.sum(variances > max(float(variances[-1]), 0) * 1e-12))
    count = min(_MAX_COMPONENTS, max(len(residual) // _UNITS_PER_COMPONENT, 1), rank)
    scores: Float = centred @ axes[:, ::-1][:, :count]
    return scores


def _null(scores: Float, codes: Index, strata: Index, rng: np.random.Generator, permutations: int) -> Float:
    """Return the accuracy of each of so many permutations within strata."""
    by_stratum = np.argsort(strata, kind="stable")
    together = max(_TOGETHER // (len(codes) * (int(codes.max()) + 1)), 1)
    blocks = row_blocks(slice(0, permutations), together)
    return np.concatenate(
        [_accuracies(scores, _permuted(codes, strata, by_stratum, rows.stop - rows.start, rng)) for rows in blocks]
    )


def _accuracies(scores: Float, codes: Index) -> Float:
    """Return, for each row of `codes` [P, n], the share of units that are nearest to the centroid of their own group.

    That centroid is taken without the unit. Every row has equally many units of a group.
    """
    # The centroid c nearest to s has the largest s · c - c · c / 2. A centroid without one of its units follows from
    # the centroid with it, so one small matrix product is enough for each permutation.
    counts = np.bincount(codes[0]).astype(np.float64)
    members = (codes[:, None] == np.arange(len(counts))[:, None]).astype(np.float64)
    sums = members @ scores
    lengths, along = (sums**2).sum(axis=2), sums @ scores.T
    permutation, unit = np.arange(len(codes))[:, None], np.arange(codes.shape[1])
    square, own, others = (scores**2).sum(axis=1), along[permutation, codes, unit], counts[codes] - 1
    closeness = along / counts[:, None] - (lengths / counts**2 / 2)[:, :, None]
    without = lengths[permutation, codes] - 2 * own + square
    closeness[permutation, codes, unit] = (own - square) / others - without / others**2 / 2
    accuracies: Float = np.mean(np.argmax(closeness, axis=1) == codes, axis=1)
    return accuracies


def _permuted(codes: Index, strata: Index, by_stratum: Index, count: int, rng: np.random.Generator) -> Index:
    """Return [count, n]: `codes` shuffled within each stratum; `by_stratum` are the units by their strata."""
    out = np.empty((count, len(codes)), codes.dtype)
    # The number of a stratum plus a random fraction: one sort shuffles all strata, ten times as fast as lexsort.
    out[:, by_stratum] = codes[np.argsort(strata + rng.random((count, len(codes))), axis=1)]
    return out
