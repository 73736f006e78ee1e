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


@dataclass(frozen=True)
class PositionMap:
    """Of one plate: residuals by well name, their means by row and by column (of wells that have others of the same
    content in other rows or columns), and the probability of each under exchange of such wells (None without any)."""

    residuals: Mapping[str, float]
    rows: Mapping[str, float]
    columns: Mapping[str, float]
    row_p_value: float | None
    column_p_value: float | None


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
        _p_value(residual, rows, codes, rng),
        _p_value(residual, columns, codes, rng),
    )


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


def _p_value(residual: Float, lines: Sequence[str], contents: Index, rng: np.random.Generator) -> float | None:
    """Of the sum of squares between lines, when wells of equal content change places."""
    codes = np.unique(np.asarray(lines, dtype=str), return_inverse=True)[1]
    if not any(len(np.unique(codes[contents == c])) > 1 for c in np.unique(contents)):
        return None
    place, found, hits = np.argsort(contents, kind="stable"), _between(residual, codes), 0
    for _ in range(PERMUTATIONS):
        shuffled = np.empty_like(residual)
        shuffled[place] = residual[np.lexsort((rng.random(len(residual)), contents))]
        hits += _between(shuffled, codes) >= found * (1 - 1e-12)
    return (1 + hits) / (1 + PERMUTATIONS)


def _between(residual: Float, codes: Index) -> float:
    counts = np.bincount(codes)
    return float((np.bincount(codes, residual) ** 2 / counts).sum())
