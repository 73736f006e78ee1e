"""Which wells are held out together. Tiles and sites of one well are never split: they are not independent.

A held-out control stands in for a well to be scored, so it must be as foreign to the axis as that well is. Where plates
carry their own controls, the wells to be scored lie on plates that the axis has seen, and controls are held out by row
over all plates. Where they do not, whole plates or experiments are held out. Holding out plates in the first case too
sets the anchors by wells of unseen plates: with strong plate effects treatments then come out up to a third too far
from zero (docs/axes-and-quality.md). `plate_folds` says what the axis is worth on an unseen plate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_FOLDS = 8


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
    """Folds over the labelled wells: by experiment or plate where wells to be scored lie on plates without controls of
    both classes, or there are none; else by row. Failing these, by column or single well.

    `labels` [W] is +1 or -1 for the wells of the two classes and 0 for others. A level is taken if leaving any of its
    folds out leaves both classes to train on. None where not even single wells can be left out: fewer than two wells
    of a class. Groups are dealt out to at most `most` folds so that both classes are spread evenly; no random draw.
    """
    names = [well.rstrip("0123456789") for well in wells]
    foreign = {"experiment": list(experiments or []), "plate": list(plates)}
    within = {
        "row": names,
        "column": [well[len(row) :] for well, row in zip(wells, names, strict=True)],
        "well": [f"{plate}/{well}" for plate, well in zip(plates, wells, strict=True)],
    }
    levels = within if _own_controls(plates, labels) else foreign | within
    return next((found for level, groups in levels.items() if (found := _folds(level, groups, labels, most))), None)


def plate_folds(plates: Sequence[str], labels: NDArray[np.intp], most: int = MOST_FOLDS) -> Folds | None:
    """Whole plates held out, whatever lies on them; None where that leaves nothing to train on."""
    return _folds("plate", plates, labels, most)


def _own_controls(plates: Sequence[str], labels: NDArray[np.intp]) -> bool:
    """Whether there are wells to be scored, all on plates with labelled wells of both classes."""
    sides = [{plate for plate, x in zip(plates, labels, strict=True) if x == side} for side in (-1, 0, 1)]
    return bool(sides[1]) and sides[1] <= sides[0] & sides[2]


def _folds(level: str, groups: Sequence[str], labels: NDArray[np.intp], most: int) -> Folds | None:
    of_well = _dealt(groups, labels, most) if groups else np.full(len(labels), -1, np.intp)
    return Folds(of_well, int(of_well.max()) + 1, level) if _trainable(of_well, labels) else None


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
