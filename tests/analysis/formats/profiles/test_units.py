"""Rows become vectors in blocks, and cells become the means of their fields of view."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.formats.profiles.units import Units, unit_vectors
from gandl_shared.errors import InvalidTable, TooLarge


def units(*of_row: int) -> Units:
    _, first = np.unique(of_row, return_index=True)
    return Units(of_row=np.array(of_row), first=first[-(max(of_row) + 1) :])


def blocks(x: np.ndarray, size: int) -> list[np.ndarray]:
    return [x[i : i + size] for i in range(0, len(x), size)]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_means_do_not_depend_on_blocks(size: int) -> None:
    x = np.random.default_rng(0).normal(size=(8, 3))
    x[2, 1] = np.nan
    of_row = units(0, 0, 1, 1, -1, 0, 2, 2)
    means = unit_vectors(blocks(x, size), of_row, 3, file="t", averaged=True)
    np.testing.assert_allclose(means[0], x[[0, 1, 5]].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(means[1], [x[[2, 3], 0].mean(), x[3, 1], x[[2, 3], 2].mean()], rtol=1e-6)


def test_rows_are_placed_and_unused_ones_passed_over() -> None:
    x = np.arange(8.0).reshape(4, 2)
    vectors = unit_vectors(blocks(x, 3), units(1, -1, 0, 2), 2, file="t", averaged=False)
    np.testing.assert_array_equal(vectors, x[[2, 0, 3]])


def test_a_file_that_changes_while_it_is_read_is_refused() -> None:
    with pytest.raises(InvalidTable, match="t changed while it was read"):
        unit_vectors(blocks(np.zeros((3, 1)), 2), units(0, 1), 1, file="t", averaged=False)


def test_a_table_beyond_the_memory_is_refused_before_it_is_read() -> None:
    many = Units(of_row=np.zeros(1, np.intp), first=np.zeros(2_000_000, np.intp))
    with pytest.raises(TooLarge, match="2000000 × 1000 numbers, more than 6 GB; divide it by plates"):
        unit_vectors([], many, 1000, file="t", averaged=False)
