"""Rows of a plate sort as their letters do."""

from __future__ import annotations

import numpy as np
from gandl_science.positions import Positions, lettered_order
from gandl_shared.plates.well_names import row_letters


def test_rows_sort_as_their_letters() -> None:
    rows = np.arange(1, 33)
    assert rows[np.argsort(lettered_order(rows))].tolist() == sorted(rows.tolist(), key=row_letters)


def test_up_to_26_rows_the_order_is_that_of_the_numbers() -> None:
    rows = np.arange(1, 27)
    assert (np.diff(lettered_order(rows)) > 0).all()


def test_positions_have_one_entry_per_well() -> None:
    assert len(Positions(plates=["P1", "P1"], rows=np.array([1, 2]), columns=np.array([7, 7]))) == 2
