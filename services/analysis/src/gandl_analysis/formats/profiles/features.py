"""Which features of a table are used: a stated rule for each that is not, and the spread by which they are scaled.

The rules are applied in this order, each to the features that are left: `missing` (more than 5 % of the rows have no
finite number), `constant` (one value in all rows), `duplicated` (equal to an earlier feature in every row), `outlying`
(a value further than 500 robust standard deviations from the median). The limits of the first and the last are those of
pycytominer's `feature_select`. Missing numbers that remain become the median of their feature.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from gandl_science.threads import map_parts
from gandl_shared.files.formulas import neutral_text
from gandl_shared.models import FeatureRule
from numpy.typing import NDArray

MAX_MISSING = 0.05
"""The largest share of rows in which a feature may be missing."""
MAX_MISSING_OF_ROW = 0.5
"""A row without more than this share of its features is no measurement, such as a well without cells."""
MAX_SPREADS = 500.0
"""The largest distance of a value from the median of its feature, in robust standard deviations."""
FEATURE_COLUMNS = ("feature", "column", "left_out", "missing_share", "centre", "spread")
"""The columns of `features.csv`."""
_MAD_TO_DEVIATION = 1.4826
_COLUMNS = 64  # columns that are judged at a time

Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]
Float = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class JudgedFeatures:
    """The features of a table [F]: the rule that leaves each out or None, missing share, median and robust spread."""

    names: tuple[str, ...]
    rules: tuple[FeatureRule | None, ...]
    missing: Float
    centre: Float
    spread: Float

    @property
    def in_use(self) -> Mask:
        """The features [F] that are used."""
        return np.array([rule is None for rule in self.rules], bool)

    def counts(self) -> dict[FeatureRule, int]:
        """Return the number of features that each rule leaves out."""
        return {rule: self.rules.count(rule) for rule in FeatureRule if rule in self.rules}


def measured_rows(values: Vectors) -> Mask:
    """Return the rows [N] that have at least half of their features. Infinite numbers become NaN in place."""
    missing = np.zeros(len(values), np.intp)
    for columns in _blocks(values.shape[1]):
        block = values[:, columns]
        finite = np.isfinite(block)
        if not finite.all():
            block[~finite] = np.nan
            missing += np.count_nonzero(~finite, axis=1)
    measured: Mask = missing <= MAX_MISSING_OF_ROW * values.shape[1]
    return measured


def judge_features(values: Vectors, names: Sequence[str]) -> JudgedFeatures:
    """Return which features of the rows [N, F] are used. All numbers are finite or NaN."""
    half = values.shape[1] // 2
    parts = [slice(0, half), slice(half, values.shape[1])]
    statistics = [each for part in map_parts(partial(_statistics_of, values), parts) for each in part]
    digests: set[bytes] = set()
    return JudgedFeatures(
        names=tuple(names),
        rules=tuple(_rule(each, digests) for each in statistics),
        missing=np.array([each.missing for each in statistics]),
        centre=np.array([each.centre for each in statistics]),
        spread=np.array([each.spread for each in statistics]),
    )


def _statistics_of(values: Vectors, part: slice) -> list[_Statistics]:
    """Return the statistics of a part of the columns."""
    statistics: list[_Statistics] = []
    buffer = np.empty((_COLUMNS, len(values)), np.float32)
    for start in range(part.start, part.stop, _COLUMNS):
        # One column after the other in memory: medians and digests then read each of them once.
        columns = values[:, start : min(start + _COLUMNS, part.stop)].T
        block = buffer[: len(columns)]
        np.copyto(block, columns)
        statistics += map(_statistics, block)
    return statistics


class _Statistics(NamedTuple):
    """The missing share, median, robust spread, and largest distance in spreads of a column, and its content."""

    missing: float
    centre: float
    spread: float
    furthest: float
    is_constant: bool
    digest: bytes


def _statistics(column: Vectors) -> _Statistics:
    """Return the statistics of a column [N]; without numbers it counts as zeros."""
    is_missing = np.isnan(column)
    numbers = column[~is_missing] if is_missing.any() else column
    numbers = numbers if len(numbers) else np.zeros(1, np.float32)
    centre = _median(numbers)
    distance = np.abs(numbers.astype(np.float64) - centre)
    furthest = float(distance.max())
    spread = _MAD_TO_DEVIATION * _median(distance)
    # More than half of the rows may be equal, as for a count that is mostly zero.
    spread = spread if spread > 0 else float(np.std(numbers, dtype=np.float64))
    furthest = furthest / spread if spread > 0 else 0.0
    return _Statistics(
        missing=float(is_missing.mean()),
        centre=centre,
        spread=spread,
        furthest=furthest,
        # fmin and fmax pass over missing numbers.
        is_constant=bool(np.fmin.reduce(column) == np.fmax.reduce(column)),
        digest=hashlib.blake2b(column.tobytes(), digest_size=16).digest(),
    )


def _median(numbers: NDArray[np.floating]) -> float:
    """Return the median in float64, in half of the time of `np.median`, which looks for NaN and converts before."""
    middle = [(len(numbers) - 1) // 2, len(numbers) // 2]
    return float(np.partition(numbers, middle)[middle].astype(np.float64).mean())


def _rule(statistics: _Statistics, digests: set[bytes]) -> FeatureRule | None:
    if statistics.missing > MAX_MISSING:
        return FeatureRule.MISSING
    if statistics.is_constant:
        return FeatureRule.CONSTANT
    if statistics.digest in digests:
        return FeatureRule.DUPLICATED
    if statistics.furthest > MAX_SPREADS:
        return FeatureRule.OUTLYING
    digests.add(statistics.digest)
    return None


def usable_vectors(values: Vectors, judgement: JudgedFeatures, *, scaled: bool) -> tuple[Vectors, int]:
    """Return the features in use [N, K], and how many missing numbers became the median of their feature.

    If `scaled`, the median is subtracted from each feature, which is then divided by its robust spread.
    """
    in_use = judgement.in_use
    vectors = values if in_use.all() else np.ascontiguousarray(values[:, in_use])
    centre, spread, n_filled = judgement.centre[in_use], judgement.spread[in_use], 0
    if not scaled and not judgement.missing[in_use].any():
        return vectors, 0
    for columns in _blocks(vectors.shape[1]):
        block = vectors[:, columns].astype(np.float64)
        missing = np.isnan(block)
        n_filled += int(missing.sum())
        block = np.where(missing, centre[columns], block)
        vectors[:, columns] = (block - centre[columns]) / spread[columns] if scaled else block
    return vectors, n_filled


def space_digest(judgement: JudgedFeatures, *, scaled: bool) -> str:
    """Return the SHA-256 of what decides the meaning of the vectors: names, and centre and spread where scaled."""
    digest = hashlib.sha256(
        "\n".join(n for n, use in zip(judgement.names, judgement.in_use, strict=True) if use).encode()
    )
    if scaled:
        digest.update(judgement.centre[judgement.in_use].tobytes())
        digest.update(judgement.spread[judgement.in_use].tobytes())
    return digest.hexdigest()


def features_csv(judgement: JudgedFeatures, blocklisted: Sequence[str], *, scaled: bool) -> str:
    """Return one row per feature: its vector column if it is used, else the rule, and how it was scaled."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FEATURE_COLUMNS)
    used = 0
    for i, (name, rule) in enumerate(zip(judgement.names, judgement.rules, strict=True)):
        column = "" if rule else f"gandl_{used:03d}"
        used += rule is None
        numbers = (
            [repr(float(judgement.centre[i])), repr(float(judgement.spread[i]))] if scaled and not rule else ["", ""]
        )
        writer.writerow((neutral_text(name), column, rule or "", repr(float(judgement.missing[i])), *numbers))
    for name in blocklisted:
        writer.writerow((neutral_text(name), "", FeatureRule.BLOCKLISTED, "", "", ""))
    return text.getvalue()


def _blocks(columns: int) -> Iterator[slice]:
    return (slice(start, start + _COLUMNS) for start in range(0, columns, _COLUMNS))
