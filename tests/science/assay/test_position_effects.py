"""A planted position effect is mapped, and a dose gradient is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.position_effects import PositionTest, adjusted_p_values, position_map

ROW = np.repeat(np.arange(1, 9), 12)
COLUMN = np.tile(np.arange(1, 13), 8)


def test_a_planted_row_gradient_is_detected() -> None:
    rng = np.random.default_rng(0)
    treatments = [f"dose {c}" for c in COLUMN]
    effects = position_map(rng.normal(size=96) * 0.1 + 0.1 * ROW, ROW, COLUMN, treatments, rng)
    assert effects.row_test is not None and effects.row_test.p_value < 0.01
    assert effects.rows[8] - effects.rows[1] == pytest.approx(0.7, abs=0.15)
    assert effects.residuals.sum() == pytest.approx(0, abs=1e-9)


def test_columns_that_are_doses_cannot_be_tested() -> None:
    """The effect of the dose is in the columns; as each dose has its own, there is no p-value and no residual."""
    rng = np.random.default_rng(0)
    effects = position_map(COLUMN + rng.normal(size=96) * 0.1, ROW, COLUMN, [f"dose {c}" for c in COLUMN], rng)
    assert effects.column_test is None
    assert effects.columns == {}
    assert list(effects.rows) == list(range(1, 9))


def test_no_effect_gives_no_small_p() -> None:
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        effects = position_map(rng.normal(size=96), ROW, COLUMN, [f"{c % 3}" for c in COLUMN], rng)
        assert effects.row_test is not None and effects.column_test is not None
        p += [effects.row_test.p_value, effects.column_test.p_value]
    assert np.sum(np.array(p) < 0.05) <= 10  # 4 of 80 are expected, and 10 has probability 0.01


def test_wells_without_score_or_replicate_are_left_out() -> None:
    scores = np.array([1.0, 2.0, np.nan, 7.0])
    rows, columns = np.arange(1, 5), np.ones(4, int)
    effects = position_map(scores, rows, columns, ["x", "x", "x", "y"], np.random.default_rng(0))
    np.testing.assert_array_equal(effects.residuals, [-0.5, 0.5, np.nan, np.nan])


def test_nothing_to_compare_gives_an_empty_map() -> None:
    effects = position_map(np.array([1.0, 2.0]), np.ones(2, int), np.arange(2), ["x", "y"], np.random.default_rng(0))
    assert np.isnan(effects.residuals).all()
    assert (effects.rows, effects.row_test) == ({}, None)


def _tests(shift: float, plates: int, seed: int) -> list[PositionTest | None]:
    """The tests of rows and columns of several plates whose rows differ by `shift`."""
    rng = np.random.default_rng(seed)
    treatments = [f"{c % 3}" for c in COLUMN]
    maps = [position_map(rng.normal(size=96) + shift * ROW, ROW, COLUMN, treatments, rng) for _ in range(plates)]
    return [test for effects in maps for test in (effects.row_test, effects.column_test)]


def test_an_effect_on_many_plates_is_significant() -> None:
    """There are 40 tests: a Bonferroni correction of 499 permutations could not go below 0.08."""
    p = adjusted_p_values([*_tests(0.5, 20, seed=0), None])
    assert p[-1] is None
    assert max(x for x in p[0:-1:2] if x is not None) < 0.01  # rows
    assert min(x for x in p[1:-1:2] if x is not None) > 0.01  # columns


@pytest.mark.slow
def test_adjusted_p_values_hold_for_all_tests_together() -> None:
    smallest = [min(p for p in adjusted_p_values(_tests(0, 5, seed)) if p is not None) for seed in range(60)]
    assert np.sum(np.array(smallest) < 0.1) <= 12  # 6 of 60 are expected, and 12 has probability 0.02
    assert np.median(smallest) < 0.8


def test_one_test_alone_needs_no_adjustment() -> None:
    test = PositionTest(2.0, np.array([1.0, 2.0, 3.0]))
    assert adjusted_p_values([test]) == [test.p_value] == [0.75]
    assert adjusted_p_values([]) == []
