"""Do the replicates of a treatment find each other among the negative controls? Mean average precision.

Kalinin et al. 2025 (copairs): each replicate ranks the other replicates and the negative controls by cosine similarity;
the mean of their average precisions is compared with that of random ranks of the same sizes. The null is copairs' own
(`copairs.compute`), without its cache in the home folder, which a service may not write; a test holds the figures to
those of copairs' tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

Float = NDArray[np.float64]
Index = NDArray[np.intp]

NULL_SIZE = 10_000


@dataclass(frozen=True)
class ReplicateMap:
    """One group of replicates: mean average precision over its `n` wells; `q_value` after Benjamini and Hochberg over
    all groups."""

    group: str
    n: int
    mean_average_precision: float
    p_value: float
    q_value: float


def replicate_map(
    profiles: Float, groups: Sequence[str], negative: NDArray[np.bool_], seed: int, null_size: int = NULL_SIZE
) -> tuple[ReplicateMap, ...]:
    """For each of the `groups` [W] with two wells or more, in order of first appearance.

    `profiles` [W, F] are wells' mean vectors in whitened coordinates, centred on the negative controls (cosine
    similarity is about the origin); `negative` [W] marks these controls, whose group is not used. Empty without
    two controls.
    """
    known = np.isfinite(profiles).all(axis=1)
    controls = np.flatnonzero(negative & known)
    if len(controls) < 2:
        return ()
    unit = profiles / np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), np.finfo(float).tiny)
    found: list[tuple[str, int, float, float]] = []
    for group in dict.fromkeys(g for g, n in zip(groups, negative, strict=True) if not n):
        same = np.array([g == group for g in groups])
        wells = np.flatnonzero(same & known & ~negative)
        if len(wells) > 1:
            precision = float(np.mean([_average_precision(unit, int(w), wells, controls) for w in wells]))
            null = _null(len(wells) - 1, len(wells) - 1 + len(controls), null_size, seed)
            p_value = (1 + int(np.sum(null > precision))) / (1 + null_size)
            found.append((group, len(wells), precision, p_value))
    if not found:
        return ()
    q_values = false_discovery_control([p for *_, p in found])
    return tuple(ReplicateMap(*row, float(q)) for row, q in zip(found, q_values, strict=True))


def _average_precision(unit: Float, well: int, wells: Index, controls: Index) -> float:
    """Of the ranks of the other replicates when they and the controls are ordered by similarity to `well`."""
    others = wells[wells != well]
    similarity = unit[np.concatenate([others, controls])] @ unit[well]
    # Replicates come first, and a stable sort of the reversed order puts them last among equals: no luck from ties.
    order = np.argsort(-similarity[::-1], kind="stable")
    relevant = (np.arange(len(similarity)) < len(others))[::-1][order]
    ranks = np.flatnonzero(relevant) + 1
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks))


def _null(positives: int, total: int, size: int, seed: int) -> NDArray[np.float32]:
    from copairs.compute import random_ap  # takes a second to import, and only this needs it

    drawn: NDArray[np.float32] = random_ap(size, positives, total, [seed, positives, total])
    return drawn
