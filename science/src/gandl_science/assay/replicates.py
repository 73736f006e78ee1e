"""Do the replicates of a treatment find each other among the negative controls? Mean average precision.

Kalinin et al. 2025 (copairs): each replicate ranks the other replicates and the negative controls by cosine similarity;
the mean of their average precisions is compared with that of random ranks of the same sizes. The null is copairs' own
(`copairs.compute`), without its cache in the home folder, which a service may not write; a test holds the mean average
precisions to those of copairs' tables.

The p-value is the share of the null that does as well or better. copairs counts what does better only: few replicates
among few controls have few possible ranks, and a perfect one, which chance gives one pair in nine among eight controls,
then has the smallest p there is.
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
_ROUNDING = 1e-5
_WELLS = 512  # that meet all controls in one matrix product


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
    members = _members(groups, known & ~negative)
    if len(controls) < 2 or not members:
        return ()
    unit = profiles / np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), np.finfo(float).tiny)
    precision = _precisions(unit, list(members.values()), controls)
    nulls: dict[int, NDArray[np.float32]] = {}
    p_values = []
    for wells, found in zip(members.values(), precision, strict=True):
        others = len(wells) - 1
        if others not in nulls:
            nulls[others] = np.sort(_null(others, others + len(controls), null_size, seed))
        below = int(np.searchsorted(nulls[others], np.float32(found * (1 - _ROUNDING)), "left"))
        p_values.append((1 + null_size - below) / (1 + null_size))
    q_values = false_discovery_control(p_values).tolist()
    sizes = (len(wells) for wells in members.values())
    return tuple(ReplicateMap(*row) for row in zip(members, sizes, precision, p_values, q_values, strict=True))


def _members(groups: Sequence[str], keep: NDArray[np.bool_]) -> dict[str, Index]:
    """Wells of each group that has two or more to `keep` [W], in order of first appearance."""
    found: dict[str, list[int]] = {}
    for i in np.flatnonzero(keep).tolist():
        found.setdefault(groups[i], []).append(i)
    return {group: np.array(wells, np.intp) for group, wells in found.items() if len(wells) > 1}


def _precisions(unit: Float, members: Sequence[Index], controls: Index) -> list[float]:
    """Mean average precision of each group: several groups at a time meet the controls in one matrix product."""
    answers: list[float] = []
    references, start = unit[controls].T.copy(), 0
    while start < len(members):
        sizes = np.cumsum([len(wells) for wells in members[start : start + _WELLS]])
        stop = start + max(int(np.searchsorted(sizes, _WELLS, "right")), 1)
        part = members[start:stop]
        similarity = unit[np.concatenate(part)] @ references
        rows = np.split(similarity, np.cumsum([len(wells) for wells in part])[:-1])
        answers += [_mean_average_precision(unit[w], to_controls) for w, to_controls in zip(part, rows, strict=True)]
        start = stop
    return answers


def _mean_average_precision(wells: Float, to_controls: Float) -> float:
    """Of unit vectors [n, F] of one group, given their similarities [n, C] to the controls. Each well ranks the others
    and the controls; controls come first among equals, so that no tie is luck."""
    n = len(wells)
    among = (wells @ wells.T)[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    among = np.sort(among, axis=1)[:, ::-1]
    ahead = np.stack([np.count_nonzero(to_controls >= among[:, [k]], axis=1) for k in range(n - 1)], axis=1)
    place = np.arange(1, n)
    return float((place / (place + ahead)).mean())


def _null(positives: int, total: int, size: int, seed: int) -> NDArray[np.float32]:
    from copairs.compute import random_ap  # takes a second to import, and only this needs it

    drawn: NDArray[np.float32] = random_ap(size, positives, total, [seed, positives, total])
    return drawn
