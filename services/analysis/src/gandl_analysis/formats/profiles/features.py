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

import numpy as np
from gandl_shared.models import FeatureRule
from numpy.typing import NDArray

MAX_MISSING = 0.05
"""The largest share of rows in which a feature may be missing."""
MAX_MISSING_OF_ROW = 0.5
"""A row without more than this share of its features is no measurement, such as a well without cells."""
MAX_SPREADS = 500.0
"""The largest distance of a value from the median of its feature, in robust standard deviations."""
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
        block[~np.isfinite(block)] = np.nan
        missing += np.isnan(block).sum(axis=1)
    measured: Mask = missing <= MAX_MISSING_OF_ROW * values.shape[1]
    return measured


def judge_features(values: Vectors, names: Sequence[str]) -> JudgedFeatures:
    """Return which features of the rows [N, F] are used. All numbers are finite or NaN."""
    rules: list[FeatureRule | None] = []
    centres, spreads, shares = [], [], []
    digests: set[bytes] = set()
    for columns in _blocks(values.shape[1]):
        block = values[:, columns].astype(np.float64)
        share = np.isnan(block).mean(axis=0)
        centre, spread, furthest = _statistics(block)
        for j in range(block.shape[1]):
            rule = _rule(block[:, j], share[j], furthest[j], digests)
            rules.append(rule)
        centres.append(centre)
        spreads.append(spread)
        shares.append(share)
    return JudgedFeatures(
        names=tuple(names),
        rules=tuple(rules),
        missing=np.concatenate(shares),
        centre=np.concatenate(centres),
        spread=np.concatenate(spreads),
    )


def _statistics(block: Float) -> tuple[Float, Float, Float]:
    """Return median, robust spread and largest distance in spreads of each column; NaN for one without numbers."""
    empty = np.isnan(block).all(axis=0)
    filled = np.where(empty, 0, block)
    centre = np.nanmedian(filled, axis=0)
    distance = np.abs(filled - centre)
    spread = _MAD_TO_DEVIATION * np.nanmedian(distance, axis=0)
    # More than half of the rows may be equal, as for a count that is mostly zero.
    spread = np.where(spread > 0, spread, np.nanstd(filled, axis=0))
    furthest = np.nanmax(distance, axis=0)
    return centre, spread, np.divide(furthest, spread, out=np.zeros_like(furthest), where=spread > 0)


def _rule(column: Float, missing: float, furthest: float, digests: set[bytes]) -> FeatureRule | None:
    if missing > MAX_MISSING:
        return FeatureRule.MISSING
    if np.nanmin(column) == np.nanmax(column):
        return FeatureRule.CONSTANT
    digest = hashlib.blake2b(column.tobytes(), digest_size=16).digest()
    if digest in digests:
        return FeatureRule.DUPLICATED
    if furthest > MAX_SPREADS:
        return FeatureRule.OUTLYING
    digests.add(digest)
    return None


def usable_vectors(values: Vectors, judgement: JudgedFeatures, *, scaled: bool) -> tuple[Vectors, int]:
    """Return the features in use [N, K], and how many missing numbers became the median of their feature.

    If `scaled`, the median is subtracted from each feature, which is then divided by its robust spread.
    """
    in_use = judgement.in_use
    vectors = values if in_use.all() else np.ascontiguousarray(values[:, in_use])
    centre, spread, n_filled = judgement.centre[in_use], judgement.spread[in_use], 0
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
    writer.writerow(("feature", "column", "left_out", "missing_share", "centre", "spread"))
    used = 0
    for i, (name, rule) in enumerate(zip(judgement.names, judgement.rules, strict=True)):
        column = "" if rule else f"gandl_{used:03d}"
        used += rule is None
        numbers = (
            [repr(float(judgement.centre[i])), repr(float(judgement.spread[i]))] if scaled and not rule else ["", ""]
        )
        writer.writerow((name, column, rule or "", repr(float(judgement.missing[i])), *numbers))
    for name in blocklisted:
        writer.writerow((name, "", FeatureRule.BLOCKLISTED, "", "", ""))
    return text.getvalue()


def _blocks(columns: int) -> Iterator[slice]:
    return (slice(start, start + _COLUMNS) for start in range(0, columns, _COLUMNS))
