"""Where on a plate scores are high or low for no reason but the position. A figure, not a correction.

B-scores assume that most wells are inactive; on plates whose columns are doses they take the effect for a position
effect. So wells are compared only with wells of the same content (role, compound, dose), and nothing is subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Index = NDArray[np.intp]

PERMUTATIONS = 499
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PositionTest:
    """The sum of squares between lines as `found`, and when wells of equal content change places, `null` [P]."""

    found: float
    null: Float

    @property
    def p_value(self) -> float:
        """Share of exchanges that do as well, the one found among them."""
        return float((1 + np.sum(self.null >= self.found * (1 - _ROUNDING))) / (1 + len(self.null)))


@dataclass(frozen=True)
class PositionMap:
    """Of one plate: residuals by well name, their means by row and by column (of wells that have others of the same
    content in other rows or columns), and the test of each (None without such wells)."""

    residuals: Mapping[str, float]
    rows: Mapping[str, float]
    columns: Mapping[str, float]
    row_test: PositionTest | None
    column_test: PositionTest | None


def position_map(scores: Float, wells: Sequence[str], contents: Sequence[str], rng: np.random.Generator) -> PositionMap:
    """Scores [W] (NaN: none) of the wells of one plate, named like `B07`, less the mean over equal `contents` [W].

    Wells whose content is there once have nothing to be compared with and are left out.
    """
    codes = np.unique(np.asarray(contents, dtype=str), return_inverse=True)[1]
    known = np.isfinite(scores)
    known &= (np.bincount(codes, known) > 1)[codes]
    codes, names = codes[known], [w for w, k in zip(wells, known, strict=True) if k]
    residual = _residual(scores[known], codes)
    rows = [name.rstrip("0123456789") for name in names]
    columns = [name[len(row) :] for name, row in zip(names, rows, strict=True)]
    return PositionMap(
        dict(zip(names, residual.tolist(), strict=True)),
        _means(residual, rows, codes),
        _means(residual, columns, codes),
        _test(residual, rows, codes, rng),
        _test(residual, columns, codes, rng),
    )


def adjusted_p_values(tests: Sequence[PositionTest | None]) -> list[float | None]:
    """One for each of the `tests`, valid for all together: how often the largest of all, under exchange, does as well.

    Westfall and Young 1993, single step, on statistics in units of their own null. A Bonferroni correction of
    permutation p-values could never be significant on many plates: none is smaller than 1 / (1 + permutations).
    """
    known = [test for test in tests if test is not None]
    centres, spreads = ([float(f(t.null)) for t in known] for f in (np.mean, np.std))
    units = [(c, s or 1.0) for c, s in zip(centres, spreads, strict=True)]
    nulls = [(t.null - c) / s for t, (c, s) in zip(known, units, strict=True)]
    largest = np.max(nulls, axis=0) if known else np.empty(0)
    found = iter((t.found - c) / s for t, (c, s) in zip(known, units, strict=True))
    return [None if test is None else PositionTest(next(found), largest).p_value for test in tests]


def _residual(scores: Float, codes: Index) -> Float:
    counts = np.maximum(np.bincount(codes), 1)
    residual: Float = scores - (np.bincount(codes, scores) / counts)[codes]
    return residual


def _means(residual: Float, lines: Sequence[str], contents: Index) -> dict[str, float]:
    """Mean residual of each line, over wells whose content lies in other lines too: the rest average to zero whatever
    the position does."""
    found: dict[str, list[float]] = {}
    places: dict[int, set[str]] = {}
    for content, line in zip(contents.tolist(), lines, strict=True):
        places.setdefault(content, set()).add(line)
    for value, content, line in zip(residual.tolist(), contents.tolist(), lines, strict=True):
        if len(places[content]) > 1:
            found.setdefault(line, []).append(value)
    return {line: float(np.mean(values)) for line, values in sorted(found.items())}


def _test(residual: Float, lines: Sequence[str], contents: Index, rng: np.random.Generator) -> PositionTest | None:
    codes = np.unique(np.asarray(lines, dtype=str), return_inverse=True)[1]
    if not any(len(np.unique(codes[contents == c])) > 1 for c in np.unique(contents)):
        return None
    place, null = np.argsort(contents, kind="stable"), np.empty(PERMUTATIONS)
    for i in range(PERMUTATIONS):
        shuffled = np.empty_like(residual)
        shuffled[place] = residual[np.lexsort((rng.random(len(residual)), contents))]
        null[i] = _between(shuffled, codes)
    return PositionTest(_between(residual, codes), null)


def _between(residual: Float, codes: Index) -> float:
    counts = np.bincount(codes)
    return float((np.bincount(codes, residual) ** 2 / counts).sum())
