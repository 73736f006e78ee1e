"""Confounding is detected where it was planted, and only as often as p says where it was not."""

from __future__ import annotations

import numpy as np
from gandl_science.assay.confounding import confounding_test
from numpy.typing import NDArray

ROWS = [chr(65 + i) for i in range(8) for _ in range(4)]
CLASSES = np.tile([1, 1, -1, -1], 8).astype(np.intp)


def controls(seed: int, row_effect: float = 0.0) -> NDArray[np.float64]:
    """32 control wells in 8 rows, a large class effect, and a shift from row to row along one direction."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(32, 40)) + 3 * CLASSES[:, None]
    x[:, 0] += row_effect * np.repeat(np.arange(8), 4)
    return x


def test_a_planted_row_effect_is_detected() -> None:
    result = confounding_test(controls(0, 3.0), ROWS, CLASSES, np.random.default_rng(0))
    assert result is not None
    assert result.p_value < 0.01 and result.accuracy > 2 * result.chance
    assert (result.classes, result.n) == (8, 32)


def test_without_an_effect_p_is_uniform() -> None:
    p = [_p_value(controls(seed)) for seed in range(60)]
    assert 0.3 < np.mean(p) < 0.7
    assert np.sum(np.array(p) < 0.05) <= 8  # 3 are expected, and 8 has probability 0.01


def test_a_column_of_one_class_cannot_be_tested() -> None:
    """Positives are in column 1 and negatives in column 12, so that no permutation within classes changes a column."""
    columns = np.where(CLASSES > 0, "01", "12").tolist()
    assert confounding_test(controls(0), columns, CLASSES, np.random.default_rng(0)) is None


def test_one_group_cannot_be_tested() -> None:
    assert confounding_test(controls(0), ["P1"] * 32, CLASSES, np.random.default_rng(0)) is None
    assert confounding_test(controls(0), ROWS[:1] + ["Z"] * 31, CLASSES, np.random.default_rng(0)) is None


def test_sites_are_compared_within_their_well() -> None:
    """Strong differences between wells do not hide that site 2 is always brighter."""
    rng = np.random.default_rng(0)
    wells = np.repeat(np.arange(12), 4)
    x = rng.normal(size=(48, 20)) + 10 * rng.normal(size=(12, 20))[wells]
    x[1::4, 3] += 8
    result = confounding_test(x, ["1", "2", "3", "4"] * 12, wells, np.random.default_rng(0))
    assert result is not None and result.p_value < 0.03


def test_constant_vectors_reveal_nothing() -> None:
    result = confounding_test(np.ones((32, 5)), ROWS, CLASSES, np.random.default_rng(0))
    assert result is None or result.p_value > 0.05


def _p_value(units: NDArray[np.float64]) -> float:
    result = confounding_test(units, ROWS, CLASSES, np.random.default_rng(1), permutations=99)
    assert result is not None
    return result.p_value
