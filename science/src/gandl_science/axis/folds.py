"""Which wells are held out together. Tiles and sites of one well are never split, as they are not independent.

A held-out control represents the wells to be scored, so it must be as unfamiliar to the axis as they are. Where plates
carry their own controls, the wells to be scored share plates with training wells, and controls are held out by row
over all plates. Where plates do not, whole plates or experiments are held out. If plates were held out in the first
case too, anchors would come from wells of unseen plates, and with strong plate effects treatments would come out up to
a third too far from zero (docs/axes-and-quality.md). `plate_folds` serves to measure the axis on unseen plates.

`StratifiedGroupKFold` of scikit-learn deals groups by the same greedy idea but breaks ties and weighs classes
differently, so its folds are not those of earlier analyses (docs/decisions/0002-held-out-scores.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.axis.provenance import HeldOut
from gandl_science.positions import Positions, lettered_order

MAX_FOLDS = 8

_Group = TypeVar("_Group", str, int, tuple[str, int, int])


@dataclass(frozen=True, kw_only=True)
class Folds:
    """`of_well` [W] is the fold of each labelled well and -1 for other wells; `held_out` is the unit that was kept
    together."""

    of_well: Index
    count: int
    held_out: HeldOut


def grouped_folds(
    positions: Positions, labels: Index, *, experiments: Sequence[str] = (), max_folds: int = MAX_FOLDS
) -> Folds | None:
    """Return folds over the labelled wells, or None with fewer than two wells of a class.

    `labels` [W] is +1 or -1 for the two classes and 0 for other wells. Experiments or plates are held out where some
    wells to be scored are on plates without controls of both classes, or where there are no wells to be scored;
    otherwise rows are. If that leaves a fold without one class to train on, columns and then single wells are held
    out. Groups are dealt to at most `max_folds` folds so that both classes are spread evenly. Nothing is random.
    """
    rows = lettered_order(positions.rows)
    wells = [
        (f"{plate}/", row, column)
        for plate, row, column in zip(positions.plates, rows.tolist(), positions.columns.tolist(), strict=True)
    ]
    # Rows and columns are numbers without a plate: row A of all plates is one group.
    between_plates = {HeldOut.EXPERIMENT: _ranks(experiments), HeldOut.PLATE: _ranks(positions.plates)}
    within_plates = {HeldOut.ROW: rows, HeldOut.COLUMN: positions.columns, HeldOut.WELL: _ranks(wells)}
    own_controls = _plates_have_own_controls(positions.plates, labels)
    units = within_plates if own_controls else between_plates | within_plates
    # The first unit wins that leaves both classes to train on outside every fold.
    candidates = (_folds(unit, groups, labels, max_folds) for unit, groups in units.items())
    return next((folds for folds in candidates if folds is not None), None)


def plate_folds(plates: Sequence[str], labels: Index, max_folds: int = MAX_FOLDS) -> Folds | None:
    """Return folds that hold out whole plates whatever is on them, or None if that leaves nothing to train on."""
    return _folds(HeldOut.PLATE, _ranks(plates), labels, max_folds)


def _ranks(groups: Sequence[_Group]) -> Index:
    """Return the rank of the group of each well [W] in sorted order."""
    rank = {group: i for i, group in enumerate(sorted(set(groups)))}
    return np.array([rank[group] for group in groups], np.intp)


def _plates_have_own_controls(plates: Sequence[str], labels: Index) -> bool:
    """Return True if there are wells to be scored, and each is on a plate with labelled wells of both classes."""
    negative, scored, positive = (
        {plate for plate, label in zip(plates, labels, strict=True) if label == side} for side in (-1, 0, 1)
    )
    return bool(scored) and scored <= negative & positive


def _folds(unit: HeldOut, groups: Index, labels: Index, max_folds: int) -> Folds | None:
    if len(groups) != len(labels):  # the plate map does not name experiments
        return None
    of_well = _deal(groups, labels, max_folds)
    count = int(of_well.max(initial=-1)) + 1
    return Folds(of_well=of_well, count=count, held_out=unit) if _trainable(of_well, labels, count) else None


def _deal(groups: Index, labels: Index, max_folds: int) -> Index:
    """Return the fold of each labelled well [W]: large groups first, each to the fold that it leaves most even."""
    sizes: dict[int, Float] = {}
    for group, label in zip(groups.tolist(), labels.tolist(), strict=True):
        if label:
            sizes.setdefault(group, np.zeros(2))[int(label > 0)] += 1
    totals = np.maximum(sum(sizes.values(), np.zeros(2)), 1)
    filled = np.zeros((min(max_folds, max(len(sizes), 1)), 2))
    fold_of: dict[int, int] = {}
    # Sizes are shares of the classes, so that a rare class weighs as much as a common one; ties go by the group's rank.
    for group in sorted(sizes, key=lambda g: (-float((sizes[g] / totals).sum()), g)):
        # The growth of the sum of squares of the folds' shares: least where the group's classes are rarest.
        cost = ((2 * filled + sizes[group]) * sizes[group] / totals**2).sum(axis=1)
        fold_of[group] = int(np.argmin(cost))
        filled[fold_of[group]] += sizes[group]
    pairs = zip(groups.tolist(), labels.tolist(), strict=True)
    return np.array([fold_of[group] if label else -1 for group, label in pairs], np.intp)


def _trainable(of_well: Index, labels: Index, count: int) -> bool:
    """Return True if there are two folds or more, and each leaves wells of both classes outside it."""
    outside = ((of_well != k) & (labels == side) for k in range(count) for side in (-1, 1))
    return count > 1 and all(bool(np.any(wells)) for wells in outside)
