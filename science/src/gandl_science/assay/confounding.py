"""Can what should not matter (plate, row, column, site) be told from the control vectors? Against permutation.

A nearest-centroid rule in the leading principal components, each unit judged by centroids without it. What the units
are known to differ by (their stratum: the control class, or the well for sites) is removed first, and labels are
permuted within strata only, so that a column which holds one class alone is no finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Index = NDArray[np.intp]

PERMUTATIONS = 499
_COMPONENTS = 20
_UNITS_A_COMPONENT = 5


@dataclass(frozen=True)
class Leakage:
    """Leave-one-out `accuracy` over `n` units in `classes` classes, its mean under permutation, and the share of
    permutations that do as well, (1 + hits) / (1 + permutations)."""

    classes: int
    n: int
    accuracy: float
    chance: float
    p_value: float


def leakage(
    units: Float, groups: Sequence[str], strata: Index, rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> Leakage | None:
    """Probe whether `groups` [n] can be told from mean vectors `units` [n, F], given `strata` [n].

    None where this cannot be asked: fewer than two groups of two units, or groups that no permutation within strata
    changes (each stratum has one group only).
    """
    codes = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    keep = (np.bincount(codes) > 1)[codes] & np.isfinite(units).all(axis=1)
    codes, strata, units = codes[keep], strata[keep], units[keep]
    if len(np.unique(codes)) < 2 or not _mixed(codes, strata):
        return None
    scores = _components(_without_strata(units, strata))
    codes, strata = (np.unique(x, return_inverse=True)[1] for x in (codes, strata))
    found = _accuracy(scores, codes)
    null = np.array([_accuracy(scores, _permuted(codes, strata, rng)) for _ in range(permutations)])
    p_value = (1 + int(np.sum(null >= found))) / (1 + permutations)
    return Leakage(int(codes.max()) + 1, len(codes), found, float(null.mean()), p_value)


def _mixed(codes: Index, strata: Index) -> bool:
    return any(len(np.unique(codes[strata == s])) > 1 for s in np.unique(strata))


def _without_strata(units: Float, strata: Index) -> Float:
    out = units.astype(np.float64)
    for s in np.unique(strata):
        out[strata == s] -= out[strata == s].mean(axis=0)
    return out


def _components(residual: Float) -> Float:
    """Leading principal components, one for every five units, at most twenty; with their variances, as what differs
    between units beyond noise is what stands out there."""
    centred = residual - residual.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    known = int(np.sum(variances > max(float(variances[-1]), 0) * 1e-12))
    count = min(_COMPONENTS, max(len(residual) // _UNITS_A_COMPONENT, 1), known)
    scores: Float = centred @ axes[:, ::-1][:, :count]
    return scores


def _accuracy(scores: Float, codes: Index) -> float:
    """Share of units nearest to the centroid of their own class, which is taken without them.

    Nearest to c is largest s · c - c · c / 2, and what a centroid is without one of its units follows from what it is
    with it: one small matrix product, as this is done for every permutation.
    """
    counts = np.bincount(codes).astype(np.float64)
    members = (codes == np.arange(len(counts))[:, None]).astype(np.float64)
    sums = members @ scores
    lengths, along = (sums**2).sum(axis=1), sums @ scores.T
    units = np.arange(len(codes))
    square, own, others = (scores**2).sum(axis=1), along[codes, units], counts[codes] - 1
    closeness = along / counts[:, None] - (lengths / counts**2 / 2)[:, None]
    without = lengths[codes] - 2 * own + square
    closeness[codes, units] = (own - square) / others - without / others**2 / 2
    return float(np.mean(np.argmax(closeness, axis=0) == codes))


def _permuted(codes: Index, strata: Index, rng: np.random.Generator) -> Index:
    """`codes` shuffled within each stratum."""
    out = np.empty_like(codes)
    # A stratum's number and a fraction: one sort shuffles within all strata, ten times as fast as lexsort.
    out[np.argsort(strata, kind="stable")] = codes[np.argsort(strata + rng.random(len(codes)))]
    return out
