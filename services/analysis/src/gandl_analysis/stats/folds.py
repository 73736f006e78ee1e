"""Which wells are held out together. Tiles and sites of one well are never split: they are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_FOLDS = 10


@dataclass(frozen=True)
class Folds:
    """`of_well` [W] is the fold of each well (-1: in no fold); `level` says what was kept together."""

    of_well: NDArray[np.intp]
    count: int
    level: str


def grouped_folds(
    plates: Sequence[str], wells: Sequence[str], labels: NDArray[np.intp], most: int = MOST_FOLDS
) -> Folds | None:
    """Folds over the labelled wells: by plate where there are several, else by row, else by well.

    `labels` [W] is +1 or -1 for a control and 0 for other wells. A level is taken if leaving any of its folds out
    leaves both classes to train on. None where not even single wells can be left out (fewer than two of a class).
    """
    rows = [w.rstrip("0123456789") for w in wells]
    levels = [
        ("plate", list(plates)),
        ("row", rows),
        ("well", [f"{p}/{w}" for p, w in zip(plates, wells, strict=True)]),
    ]
    for level, groups in levels:
        folds = _folds(groups, labels, most)
        if folds is not None and _trainable(folds, labels):
            return Folds(folds, int(folds.max()) + 1, level)
    return None


def _folds(groups: Sequence[str], labels: NDArray[np.intp], most: int) -> NDArray[np.intp] | None:
    """Groups that hold controls, dealt out to at most `most` folds in sorted order, single wells class by class."""
    used = sorted(
        {
            (int(label), g) if label and _single(groups) else (0, g)
            for g, label in zip(groups, labels, strict=True)
            if label
        }
    )
    names = list(dict.fromkeys(g for _, g in used))
    if len(names) < 2:
        return None
    place = {g: i % most for i, g in enumerate(names)}
    return np.array([place[g] if label else -1 for g, label in zip(groups, labels, strict=True)], np.intp)


def _single(groups: Sequence[str]) -> bool:
    return len(set(groups)) == len(groups)


def _trainable(folds: NDArray[np.intp], labels: NDArray[np.intp]) -> bool:
    return all(
        bool(np.any(labels[(folds != k) & (folds >= 0)] == side))
        for k in range(int(folds.max()) + 1)
        for side in (-1, 1)
    )
