"""A planted position effect is mapped, a dose gradient is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.position_effects import PositionTest, adjusted_p_values, position_map

WELLS = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13)]
ROW = np.repeat(np.arange(8), 12)
COLUMN = np.tile(np.arange(12), 8)


def test_a_planted_row_gradient_is_found() -> None:
    rng = np.random.default_rng(0)
    contents = [f"dose {c}" for c in COLUMN]
    found = position_map(rng.normal(size=96) * 0.1 + 0.1 * ROW, WELLS, contents, rng)
    assert found.row_test is not None and found.row_test.p_value < 0.01
    assert found.rows["H"] - found.rows["A"] == pytest.approx(0.7, abs=0.15)
    assert sum(found.residuals.values()) == pytest.approx(0, abs=1e-9)


def test_columns_that_are_doses_cannot_be_asked() -> None:
    """The effect of the dose is in the columns; as each dose has its own, no p and no residual comes of it."""
    rng = np.random.default_rng(0)
    found = position_map(COLUMN + rng.normal(size=96) * 0.1, WELLS, [f"dose {c}" for c in COLUMN], rng)
    assert found.column_test is None
    assert found.columns == {}
    assert len(found.rows) == 8


def test_no_effect_gives_no_small_p() -> None:
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = position_map(rng.normal(size=96), WELLS, [f"{c % 3}" for c in COLUMN], rng)
        assert found.row_test is not None and found.column_test is not None
        p += [found.row_test.p_value, found.column_test.p_value]
    assert np.sum(np.array(p) < 0.05) <= 10  # 4 expected of 80, 10 has probability 0.01


def test_wells_without_score_or_companion_are_left_out() -> None:
    scores = np.array([1.0, 2.0, np.nan, 7.0])
    found = position_map(scores, ["A01", "B01", "C01", "D01"], ["x", "x", "x", "y"], np.random.default_rng(0))
    assert found.residuals == {"A01": -0.5, "B01": 0.5}


def test_nothing_to_compare_gives_an_empty_map() -> None:
    found = position_map(np.array([1.0, 2.0]), ["A01", "A02"], ["x", "y"], np.random.default_rng(0))
    assert (found.residuals, found.rows, found.row_test) == ({}, {}, None)


def _row_tests(shift: float, plates: int, seed: int) -> list[PositionTest | None]:
    rng = np.random.default_rng(seed)
    contents = [f"{c % 3}" for c in COLUMN]
    maps = [position_map(rng.normal(size=96) + shift * ROW, WELLS, contents, rng) for _ in range(plates)]
    return [test for found in maps for test in (found.row_test, found.column_test)]


def test_many_plates_with_an_effect_can_say_so() -> None:
    """40 tests: a Bonferroni correction of 499 permutations could not go below 0.08."""
    tests = _row_tests(0.5, 20, seed=0)
    found = adjusted_p_values([*tests, None])
    assert found[-1] is None
    assert max(p for p in found[0:-1:2] if p is not None) < 0.01  # rows
    assert min(p for p in found[1:-1:2] if p is not None) > 0.01  # columns


def test_adjusted_p_values_hold_for_all_tests_together() -> None:
    smallest = [min(p for p in adjusted_p_values(_row_tests(0, 5, seed)) if p is not None) for seed in range(60)]
    assert np.sum(np.array(smallest) < 0.1) <= 12  # 6 expected of 60, 12 has probability 0.02
    assert np.median(smallest) < 0.8


def test_one_test_alone_needs_no_adjustment() -> None:
    test = PositionTest(2.0, np.array([1.0, 2.0, 3.0]))
    assert adjusted_p_values([test]) == [test.p_value] == [0.75]
    assert adjusted_p_values([]) == []
