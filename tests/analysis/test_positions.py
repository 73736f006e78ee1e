"""A planted position effect is mapped, a dose gradient is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.stats.positions import position_map

WELLS = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13)]
ROW = np.repeat(np.arange(8), 12)
COLUMN = np.tile(np.arange(12), 8)


def test_a_planted_row_gradient_is_found() -> None:
    rng = np.random.default_rng(0)
    contents = [f"dose {c}" for c in COLUMN]
    found = position_map(rng.normal(size=96) * 0.1 + 0.1 * ROW, WELLS, contents, rng)
    assert found.row_p_value is not None and found.row_p_value < 0.01
    assert found.rows["H"] - found.rows["A"] == pytest.approx(0.7, abs=0.15)
    assert sum(found.residuals.values()) == pytest.approx(0, abs=1e-9)


def test_columns_that_are_doses_cannot_be_asked() -> None:
    """The effect of the dose is in the columns; as each dose has its own, no p and no residual comes of it."""
    rng = np.random.default_rng(0)
    found = position_map(COLUMN + rng.normal(size=96) * 0.1, WELLS, [f"dose {c}" for c in COLUMN], rng)
    assert found.column_p_value is None
    assert found.columns == {}
    assert len(found.rows) == 8


def test_no_effect_gives_no_small_p() -> None:
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = position_map(rng.normal(size=96), WELLS, [f"{c % 3}" for c in COLUMN], rng)
        assert found.row_p_value is not None and found.column_p_value is not None
        p += [found.row_p_value, found.column_p_value]
    assert np.sum(np.array(p) < 0.05) <= 10  # 4 expected of 80, 10 has probability 0.01


def test_wells_without_score_or_companion_are_left_out() -> None:
    scores = np.array([1.0, 2.0, np.nan, 7.0])
    found = position_map(scores, ["A01", "B01", "C01", "D01"], ["x", "x", "x", "y"], np.random.default_rng(0))
    assert found.residuals == {"A01": -0.5, "B01": 0.5}


def test_nothing_to_compare_gives_an_empty_map() -> None:
    found = position_map(np.array([1.0, 2.0]), ["A01", "A02"], ["x", "y"], np.random.default_rng(0))
    assert (found.residuals, found.rows, found.row_p_value) == ({}, {}, None)
