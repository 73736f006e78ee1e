"""Which wells are held out together. Tiles and sites of one well are never split: they are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_FOLDS = 10


@dataclass(frozen=True)
class Folds:
    """`of_well` [W] is the fold of each labelled well (-1: no label); `level` says what was kept together."""

    of_well: NDArray[np.intp]
    count: int
    level: str


def grouped_folds(
    plates: Sequence[str],
    wells: Sequence[str],
    labels: NDArray[np.intp],
    most: int = MOST_FOLDS,
    experiments: Sequence[str] | None = None,
) -> Folds | None:
    """Folds over the labelled wells: by experiment or plate where there are several, else by row, column or well.

    `labels` [W] is +1 or -1 for the wells of the two classes and 0 for others. A level is taken if leaving any of its
    folds out leaves both classes to train on. None where not even single wells can be left out: fewer than two wells
    of a class. Groups are dealt out to at most `most` folds so that both classes are spread evenly; no random draw.
    """
    names = [well.rstrip("0123456789") for well in wells]
    levels = {
        "experiment": list(experiments or []),
        "plate": list(plates),
        "row": names,
        "column": [well[len(row) :] for well, row in zip(wells, names, strict=True)],
        "well": [f"{plate}/{well}" for plate, well in zip(plates, wells, strict=True)],
    }
    for level, groups in levels.items():
        if groups:
            of_well = _dealt(groups, labels, most)
            if _trainable(of_well, labels):
                return Folds(of_well, int(of_well.max()) + 1, level)
    return None


def _dealt(groups: Sequence[str], labels: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """The fold of each labelled well: large groups first, each to the fold that it leaves most even."""
    sizes: dict[str, NDArray[np.float64]] = {}
    for group, label in zip(groups, labels, strict=True):
        if label:
            sizes.setdefault(group, np.zeros(2))[int(label > 0)] += 1
    totals = np.maximum(sum(sizes.values(), np.zeros(2)), 1)
    filled = np.zeros((min(most, max(len(sizes), 1)), 2))
    place: dict[str, int] = {}
    for group in sorted(sizes, key=lambda g: (-float((sizes[g] / totals).sum()), g)):
        # The growth of the sum of squares of the folds' shares: least where the group's classes are rarest.
        cost = ((2 * filled + sizes[group]) * sizes[group] / totals**2).sum(axis=1)
        place[group] = int(np.argmin(cost))
        filled[place[group]] += sizes[group]
    return np.array([place[g] if label else -1 for g, label in zip(groups, labels, strict=True)], np.intp)


def _trainable(of_well: NDArray[np.intp], labels: NDArray[np.intp]) -> bool:
    """Whether there are two folds or more, and each leaves wells of both classes outside it."""
    count = int(of_well.max(initial=-1)) + 1
    outside = ((of_well != k) & (labels == side) for k in range(count) for side in (-1, 1))
    return count > 1 and all(bool(np.any(wells)) for wells in outside)
