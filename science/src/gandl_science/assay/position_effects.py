"""Position effects: whether scores are high or low in some rows or columns of a plate. Nothing is corrected.

B-scores assume that most wells are inactive; on plates whose columns are doses they take the effect of the dose for an
effect of the position. Therefore wells are compared only with wells of the same treatment (role, compound and dose),
and nothing is subtracted from scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.positions import lettered_order
from gandl_science.threads import row_blocks

PERMUTATIONS = 499
_TOGETHER = 2**13  # residuals: as many permutations at once as stay in the cache
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PositionTest:
    """The sum of squares between rows (or columns): `statistic` as observed, and `null` [P] under permutation of wells
    of equal treatment."""

    statistic: float
    null: Float

    @property
    def p_value(self) -> float:
        """The share of permutations with a statistic at least as large, the observed one included."""
        return float((1 + np.sum(self.null >= self.statistic * (1 - _ROUNDING))) / (1 + len(self.null)))


@dataclass(frozen=True, kw_only=True)
class PositionMap:
    """The position effects of one plate.

    `residuals` [W] are scores minus the mean of the treatment; NaN for a well that cannot be compared. `rows` and
    `columns` are mean residuals by the number of the row or column, over wells whose treatment occurs in other rows or
    columns too. A test is None without such wells.
    """

    residuals: Float
    rows: Mapping[int, float]
    columns: Mapping[int, float]
    row_test: PositionTest | None
    column_test: PositionTest | None


def position_map(
    scores: Float, rows: Index, columns: Index, treatments: Sequence[str], rng: np.random.Generator
) -> PositionMap:
    """Map the position effects in `scores` [W] (NaN: no score) of the wells of one plate.

    `rows` and `columns` [W] are numbers, and equal `treatments` [W] name replicates. A well whose treatment occurs only
    once has nothing to be compared with and is left out.
    """
    codes = np.unique(np.asarray(treatments, dtype=str), return_inverse=True)[1]
    comparable = np.isfinite(scores)
    comparable &= (np.bincount(codes, comparable) > 1)[codes]
    codes, rows, columns = codes[comparable], rows[comparable], columns[comparable]
    residual = _residual(scores[comparable], codes)
    residuals = np.full(len(scores), np.nan)
    residuals[comparable] = residual
    return PositionMap(
        residuals=residuals,
        rows=_means(residual, rows, codes),
        columns=_means(residual, columns, codes),
        # Sums are taken in the order of the row letters, as in stored results, so that p-values keep every bit.
        row_test=_permutation_test(residual, lettered_order(rows), codes, rng),
        column_test=_permutation_test(residual, columns, codes, rng),
    )


def adjusted_p_values(tests: Sequence[PositionTest | None]) -> list[float | None]:
    """Return one p-value per test that is valid for all of them together (Westfall and Young 1993, single step).

    It is the share of permutations in which the largest statistic of all tests is at least as large. A Bonferroni
    correction of permutation p-values could not become significant on many plates, because none is smaller than
    1 / (1 + permutations).
    """
    possible = [test for test in tests if test is not None]
    # Statistics of different plates are compared in units of their own null distribution.
    centres, spreads = ([float(f(t.null)) for t in possible] for f in (np.mean, np.std))
    units = [(c, s or 1.0) for c, s in zip(centres, spreads, strict=True)]
    nulls = [(t.null - c) / s for t, (c, s) in zip(possible, units, strict=True)]
    largest = np.max(nulls, axis=0) if possible else np.empty(0)
    statistics = iter((t.statistic - c) / s for t, (c, s) in zip(possible, units, strict=True))
    return [None if test is None else PositionTest(next(statistics), largest).p_value for test in tests]


def _residual(scores: Float, treatments: Index) -> Float:
    counts = np.maximum(np.bincount(treatments), 1)
    residual: Float = scores - (np.bincount(treatments, scores) / counts)[treatments]
    return residual


def _means(residual: Float, positions: Index, treatments: Index) -> dict[int, float]:
    """Return the mean residual by the number of the row or column."""
    # A treatment in a single row has residuals that average to zero there, whatever the position does.
    spread = _occurs_elsewhere(positions, treatments)
    return {int(n): float(np.mean(residual[spread & (positions == n)])) for n in np.unique(positions[spread])}


def _occurs_elsewhere(positions: Index, treatments: Index) -> Mask:
    """Return the wells [W] whose treatment occurs in more than one row or column."""
    out = np.zeros(len(treatments), bool)
    for treatment in np.unique(treatments):
        members = treatments == treatment
        out |= members & (len(np.unique(positions[members])) > 1)
    return out


def _permutation_test(
    residual: Float, positions: Index, treatments: Index, rng: np.random.Generator
) -> PositionTest | None:
    if not _occurs_elsewhere(positions, treatments).any():
        return None
    codes = np.unique(positions, return_inverse=True)[1]
    by_treatment = np.argsort(treatments, kind="stable")
    blocks = row_blocks(slice(0, PERMUTATIONS), max(_TOGETHER // len(residual), 1))
    nulls = [_between(_shuffled(residual, treatments, by_treatment, b.stop - b.start, rng), codes) for b in blocks]
    return PositionTest(float(_between(residual[None], codes)[0]), np.concatenate(nulls))


def _shuffled(residual: Float, treatments: Index, by_treatment: Index, count: int, rng: np.random.Generator) -> Float:
    """Return [count, W]: residuals shuffled within treatments; a difference between those is no position effect."""
    out = np.empty((count, len(residual)))
    # The number of a treatment plus a random fraction: one sort shuffles within all of them.
    out[:, by_treatment] = residual[np.argsort(treatments + rng.random(out.shape), axis=1)]
    return out


def _between(residuals: Float, codes: Index) -> Float:
    """Return the sums of squares between rows or columns, one per row of `residuals` [P, W], whose means are 0."""
    counts = np.bincount(codes)
    group = codes + len(counts) * np.arange(len(residuals))[:, None]
    sums = np.bincount(group.ravel(), residuals.ravel()).reshape(len(residuals), len(counts))
    between: Float = (sums**2 / counts).sum(axis=1)
    return between
