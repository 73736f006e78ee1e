"""Folds never split a well, keep plates or rows together, and always leave both classes to train on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from gandl_science.axis.folds import Folds, grouped_folds, plate_folds
from gandl_science.positions import Positions
from gandl_shared.plates.well_names import parse_wells
from numpy.typing import NDArray


def grouped(
    plates: Sequence[str], wells: Sequence[str], labels: NDArray[np.intp], experiments: Sequence[str] = ()
) -> Folds | None:
    rows, columns = parse_wells(wells)
    return grouped_folds(Positions(plates=plates, rows=rows, columns=columns), labels, experiments=experiments)


def labels_of(text: str) -> NDArray[np.intp]:
    return np.array([{"+": 1, "-": -1, ".": 0}[c] for c in text], np.intp)


def test_controls_beside_the_treatments_are_held_out_by_row_over_all_plates() -> None:
    plates = ["P1"] * 6 + ["P2"] * 6
    folds = grouped(plates, ["A01", "A02", "A03", "B01", "B02", "B03"] * 2, labels_of("+-.+-." * 2))
    assert folds is not None
    assert (folds.held_out, folds.count) == ("row", 2)
    assert folds.of_well.tolist() == [0, 0, -1, 1, 1, -1] * 2


def test_plates_are_held_out_whole_where_treatments_have_no_controls_beside_them() -> None:
    plates = ["P1"] * 4 + ["P2"] * 4 + ["P3"] * 4
    folds = grouped(plates, ["A01", "A02", "B01", "B02"] * 3, labels_of("+-+-" * 2 + "...."))
    assert folds is not None
    assert (folds.held_out, folds.of_well.tolist()) == ("plate", [0] * 4 + [1] * 4 + [-1] * 4)


def test_controls_alone_are_held_out_by_plate() -> None:
    folds = grouped(["P1"] * 2 + ["P2"] * 2 + ["P3"] * 2, ["A01", "B01"] * 3, labels_of("+-" * 3))
    assert folds is not None
    assert (folds.held_out, folds.count) == ("plate", 3)


def test_plates_can_be_asked_for() -> None:
    folds = plate_folds(["P1"] * 3 + ["P2"] * 3, labels_of("+-." * 2))
    assert folds is not None
    assert folds.of_well.tolist() == [0, 0, -1, 1, 1, -1]
    assert plate_folds(["P1"] * 3, labels_of("+-.")) is None


def test_experiments_come_before_plates() -> None:
    folds = grouped(["P1", "P2", "P1", "P2"], ["A01"] * 4, labels_of("+-+-"), experiments=["E1", "E1", "E2", "E2"])
    assert folds is not None and folds.held_out == "experiment"
    assert list(folds.of_well) == [0, 0, 1, 1]


def test_one_plate_is_held_out_by_row() -> None:
    """The layout of BBBC013: rows A-D have the positive in column 12, rows E-H in column 1."""
    wells = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in (1, 2, 12)]
    folds = grouped(["P"] * 24, wells, labels_of("--+" * 4 + "+--" * 4))
    assert folds is not None
    assert (folds.held_out, folds.count) == ("row", 8)


def test_a_class_in_one_row_makes_columns_the_groups() -> None:
    wells = ["A01", "A02", "A03", "H01", "H02", "H03"]
    folds = grouped(["P"] * 6, wells, labels_of("+++---"))
    assert folds is not None
    assert (folds.held_out, folds.count) == ("column", 3)


def test_single_wells_are_the_last_resort() -> None:
    """All positives in one row, all negatives in one column: neither can be left out whole."""
    wells = ["A01", "A02", "B05", "C05"]
    folds = grouped(["P"] * 4, wells, labels_of("++--"))
    assert folds is not None
    assert (folds.held_out, list(folds.of_well)) == ("well", [0, 1, 0, 1])


def test_groups_are_dealt_evenly_to_at_most_eight_folds() -> None:
    wells = [f"{chr(65 + i)}{c:02d}" for i in range(16) for c in (1, 2, 3, 23)]
    folds = grouped(["P"] * 64, wells, labels_of("---+" * 16))
    assert folds is not None
    assert (folds.held_out, folds.count) == ("row", 8)
    positives = np.bincount(folds.of_well[labels_of("---+" * 16) > 0])
    assert list(positives) == [2] * 8


@pytest.mark.parametrize("text", ["+-", "+--", "++", "----", "....", ""])
def test_too_few_controls_have_no_folds(text: str) -> None:
    wells = [f"A{i:02d}" for i in range(1, len(text) + 1)]
    assert grouped(["P"] * len(text), wells, labels_of(text)) is None


@pytest.mark.parametrize("seed", range(20))
def test_every_fold_leaves_both_classes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 40))
    labels = rng.choice([-1, 0, 1], n).astype(np.intp)
    labels[:4] = 1, 1, -1, -1
    wells = [f"{chr(65 + i % 8)}{1 + i // 8:02d}" for i in rng.permutation(n)]
    folds = grouped(["P"] * n, wells, labels)
    assert folds is not None
    assert np.array_equal(folds.of_well >= 0, labels != 0)
    for k in range(folds.count):
        assert {-1, 1} <= set(labels[(folds.of_well != k) & (folds.of_well >= 0)])
