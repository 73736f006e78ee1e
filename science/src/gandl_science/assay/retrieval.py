"""Retrieval: whether a well finds the wells of its treatment, or a treatment those of its mechanism, among all others.

Profiles are ranked by cosine similarity. Where candidates that share something with the query (its plate, its place on
the plate, its compound) are left out, what they share cannot be what was recognised. Average precisions equal those of
copairs (`copairs.map.average_precision`), which compares all pairs and needs more memory than a large screen allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandl_science.arrays import Float, Index, Mask

MAX_QUERIES = 2_000
"""So many wells are drawn as queries in a larger screen; the candidates are always all."""
_BLOCK = 256  # queries that are compared with all candidates in one matrix product


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """How well queries find their group: the means over `queries` that have a candidate of their group left.

    `recall_at_1` is the share whose nearest candidate belongs to the group, and `chance` what a random order gives.
    """

    queries: int
    mean_average_precision: float
    recall_at_1: float
    chance: float


def retrieve(
    profiles: Float, groups: Index, excluded: Sequence[Index], *, seed: int = 0, max_queries: int = MAX_QUERIES
) -> Retrieval | None:
    """Return how well profiles [W, F] find those of equal `groups` [W]; a group below 0 is a candidate and no query.

    Candidates that share the code of a query in any of `excluded` [W] are left out, as is the query itself. At most
    `max_queries` queries are drawn. Returns None if no query has a candidate of its group.
    """
    unit = profiles / np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), np.finfo(float).tiny)
    members = np.flatnonzero(groups >= 0)
    if len(members) > max_queries:
        members = np.sort(np.random.default_rng(seed).choice(members, max_queries, replace=False))
    results: list[tuple[float, float, float]] = []
    for start in range(0, len(members), _BLOCK):
        block = members[start : start + _BLOCK]
        for query, similarity in zip(block.tolist(), unit[block] @ unit.T, strict=True):
            candidates = _candidates(query, excluded, len(groups))
            result = _result(similarity[candidates], groups[candidates] == groups[query])
            results += [] if result is None else [result]
    if not results:
        return None
    precision, recall, chance = np.mean(results, axis=0).tolist()
    return Retrieval(queries=len(results), mean_average_precision=precision, recall_at_1=recall, chance=chance)


def _candidates(query: int, excluded: Sequence[Index], n: int) -> Mask:
    candidates = np.ones(n, bool)
    candidates[query] = False
    for codes in excluded:
        candidates &= codes != codes[query]
    return candidates


def _result(similarity: Float, is_member: Mask) -> tuple[float, float, float] | None:
    """Return the average precision of one query, whether its nearest candidate is a member, and the share of members.

    Others come first among equals, so that no tie is luck.
    """
    n = int(is_member.sum())
    if n == 0:
        return None
    own = np.sort(similarity[is_member])[::-1]
    others: NDArray[np.float64] = np.sort(similarity[~is_member])
    ahead = len(others) - np.searchsorted(others, own, "left")
    rank = np.arange(1, n + 1)
    precision = float((rank / (rank + ahead)).mean())
    return precision, float(ahead[0] == 0), n / len(similarity)
