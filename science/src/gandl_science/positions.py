"""Positions of wells: plate, row and column of each. Well names are parsed elsewhere (gandl_shared.plates)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Index

_LETTERS = 26


@dataclass(frozen=True, kw_only=True)
class Positions:
    """The positions of W wells: the name of the `plates`, and the numbers of `rows` and `columns` counted from 1."""

    plates: Sequence[str]
    rows: Index
    columns: Index

    def __len__(self) -> int:
        return len(self.plates)


def lettered_order(rows: Index) -> Index:
    """Return numbers that sort plate rows [W] as their letters do: A, AA, AB, …, B, C, ….

    Ties between groups of equal size are broken in this order. On plates of up to 26 rows it is the order of the
    numbers; on 1536-well plates it keeps the folds of screens that were analysed when rows were compared as text.
    """
    # As text AF comes before B: a row of two letters follows its first letter.
    first = np.where(rows <= _LETTERS, rows, (rows - 1) // _LETTERS)
    second = np.where(rows <= _LETTERS, 0, (rows - 1) % _LETTERS + 1)
    return first * (_LETTERS + 1) + second
