"""Replicates: whether the wells of a treatment find each other among the negative controls. Mean average precision.

Each replicate ranks the other replicates and the negative controls by cosine similarity; the mean of their average
precisions is compared with that of random ranks of the same sizes (Kalinin et al. 2025, copairs). The null distribution
is copairs' own (`copairs.compute`), without its cache in the home folder, which a service may not write. A test holds
the mean average precisions to those of copairs' tables.

The p-value is the share of the null that is at least as good. copairs counts only what is better: few replicates among
few controls have few possible ranks, and a perfect rank, which one pair in nine reaches by chance among eight controls,
then has the smallest possible p-value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from gandl_science.arrays import Float, Index, Mask

NULL_SIZE = 10_000
_ROUNDING = 1e-5
_BLOCK = 512  # wells that are compared with all controls in one matrix product


@dataclass(frozen=True, kw_only=True)
class ReplicateMap:
    """The mean average precision over the `n` wells of one group of replicates.

    `q_value` is the p-value after Benjamini and Hochberg (1995) over all groups.
    """

    group: str
    n: int
    mean_average_precision: float
    p_value: float
    q_value: float


def replicate_map(
    profiles: Float, groups: Sequence[str], negative: Mask, seed: int, null_size: int = NULL_SIZE
) -> tuple[ReplicateMap, ...]:
    """Return one result per group of `groups` [W] with two wells or more, in order of first appearance.

    `profiles` [W, F] are mean vectors of wells in whitened coordinates, centred on the negative controls, because
    cosine similarity is about the origin. `negative` [W] marks these controls, whose group is ignored. The result is
    empty without two controls.
    """
    finite = np.isfinite(profiles).all(axis=1)
    controls = np.flatnonzero(negative & finite)
    members = _members(groups, finite & ~negative)
    if len(controls) < 2 or not members:
        return ()
    precisions = _precisions(profiles, list(members.values()), controls)
    sizes = [len(wells) for wells in members.values()]
    p_values = _p_values(precisions, sizes, len(controls), seed, null_size)
    q_values = false_discovery_control(p_values).tolist()
    return tuple(
        ReplicateMap(group=group, n=n, mean_average_precision=precision, p_value=p_value, q_value=q_value)
        for group, n, precision, p_value, q_value in zip(members, sizes, precisions, p_values, q_values, strict=True)
    )


def _members(groups: Sequence[str], usable: Mask) -> dict[str, Index]:
    """Return the wells of each group that has two or more in `usable` [W], in order of first appearance."""
    members: dict[str, list[int]] = {}
    for i in np.flatnonzero(usable).tolist():
        members.setdefault(groups[i], []).append(i)
    return {group: np.array(wells, np.intp) for group, wells in members.items() if len(wells) > 1}


def _p_values(
    precisions: Sequence[float], sizes: Sequence[int], n_controls: int, seed: int, null_size: int
) -> list[float]:
    nulls: dict[int, NDArray[np.float32]] = {}
    p_values = []
    for precision, size in zip(precisions, sizes, strict=True):
        others = size - 1
        # Groups of one size share a null distribution, so it is drawn once and sorted.
        if others not in nulls:
            nulls[others] = np.sort(_null(others, others + n_controls, null_size, seed))
        below = int(np.searchsorted(nulls[others], np.float32(precision * (1 - _ROUNDING)), "left"))
        p_values.append((1 + null_size - below) / (1 + null_size))
    return p_values


def _unit(profiles: Float) -> Float:
    """Return the vectors [n, F] at length 1."""
    lengths: Float = np.linalg.norm(profiles, axis=1, keepdims=True)
    return profiles / np.maximum(lengths, np.finfo(float).tiny)


def _precisions(profiles: Float, members: Sequence[Index], controls: Index) -> list[float]:
    """Return the mean average precision of each group, from vectors [W, F] of any length."""
    precisions: list[float] = []
    # Block by block, as unit vectors of all wells would be another copy of them.
    references, start = _unit(profiles[controls]).T.copy(), 0
    while start < len(members):
        # As many whole groups as fit into a block, and at least one.
        sizes = np.cumsum([len(wells) for wells in members[start : start + _BLOCK]])
        stop = start + max(int(np.searchsorted(sizes, _BLOCK, "right")), 1)
        block = members[start:stop]
        unit = _unit(profiles[np.concatenate(block)])
        ends = np.cumsum([len(wells) for wells in block])[:-1]
        parts = zip(np.split(unit, ends), np.split(unit @ references, ends), strict=True)
        precisions += [_mean_average_precision(own, to_controls) for own, to_controls in parts]
        start = stop
    return precisions


def _mean_average_precision(wells: Float, to_controls: Float) -> float:
    """Return the mean average precision of unit vectors [n, F] of one group with similarities [n, C] to the controls.

    Each well ranks the other wells and the controls. Controls come first among equals, so that no tie is luck.
    """
    n = len(wells)
    among = (wells @ wells.T)[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    among = np.sort(among, axis=1)[:, ::-1]
    ahead = np.stack([np.count_nonzero(to_controls >= among[:, [k]], axis=1) for k in range(n - 1)], axis=1)
    # The precision at the k-th replicate is k over its rank, which is k plus the controls ahead of it.
    rank = np.arange(1, n)
    return float((rank / (rank + ahead)).mean())


def _null(positives: int, total: int, size: int, seed: int) -> NDArray[np.float32]:
    from copairs.compute import random_ap  # noqa: PLC0415 - the import takes a second, and only this function needs it

    precisions: NDArray[np.float32] = random_ap(size, positives, total, [seed, positives, total])
    return precisions
