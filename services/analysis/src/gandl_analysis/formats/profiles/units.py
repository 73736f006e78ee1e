"""The vectors of a table, one per well or field of view: rows as they are, or cells averaged while they are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from gandl_shared.errors import InvalidTable, TooLarge
from numpy.typing import NDArray

from gandl_analysis.formats.profiles.sources.source import Block

MAX_NUMBERS = 1_500_000_000
"""The most numbers that are held at once (6 GB); larger tables are divided, or averaged to fields of view before."""

Index = NDArray[np.intp]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Units:
    """The unit of each row [N], -1 for a row that is not used, and the first row of each of the U units."""

    of_row: Index
    first: Index


def unit_vectors(blocks: Iterable[Block], units: Units, features: int, *, file: str, averaged: bool) -> Vectors:
    """Return the vectors [U, F] of the units. If `averaged`, each is the mean of its rows, number by number.

    A missing number counts in no mean. Raises TooLarge, and InvalidTable where blocks and rows do not fit.
    """
    n = len(units.first)
    if n * features > MAX_NUMBERS:
        limit = 4 * MAX_NUMBERS // 1_000_000_000
        raise TooLarge(f"table {file} has {n} × {features} numbers, more than {limit} GB; divide it by plates")
    fill = _means if averaged else _rows
    return fill(_with_units(blocks, units, file), n, features)


def _with_units(blocks: Iterable[Block], units: Units, file: str) -> Iterable[tuple[Block, Index]]:
    start = 0
    for block in blocks:
        of_block = units.of_row[start : start + len(block)]
        start += len(block)
        if len(of_block) < len(block):
            break
        used = of_block >= 0
        yield (block, of_block) if used.all() else (block[used], of_block[used])
    if start != len(units.of_row):
        raise InvalidTable(f"table {file} changed while it was read; start again")


def _rows(blocks: Iterable[tuple[Block, Index]], n: int, features: int) -> Vectors:
    vectors = np.empty((n, features), np.float32)
    for block, unit in blocks:
        # A number beyond float32 becomes infinite, and counts as missing.
        with np.errstate(over="ignore"):
            vectors[unit] = block
    return vectors


def _means(blocks: Iterable[tuple[Block, Index]], n: int, features: int) -> Vectors:
    sums, counts = np.zeros((n, features)), np.zeros((n, features), np.int32)
    for block, unit in blocks:
        finite = np.isfinite(block)
        # Rows of one unit mostly follow each other, so that runs of them are added at once.
        starts = np.flatnonzero(np.diff(unit, prepend=-1))
        np.add.at(sums, unit[starts], np.add.reduceat(np.where(finite, block, 0), starts, axis=0, dtype=np.float64))
        np.add.at(counts, unit[starts], np.add.reduceat(finite.astype(np.int32), starts, axis=0))
    means = np.full((n, features), np.nan, np.float32)
    np.divide(sums, counts, out=means, where=counts > 0, casting="unsafe")
    return means
