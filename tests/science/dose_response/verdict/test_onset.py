"""The off-axis limit and onset, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.verdict.onset import off_axis_limit, off_axis_onset

DOSES = np.array([1.0, 2.0, 3.0, 4.0])


def test_the_limit_is_three_robust_standard_deviations_above_the_median() -> None:
    # Median 2.5, median absolute deviation 1: 2.5 + 3 x 1.4826.
    assert off_axis_limit(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, -1, 1, -1])) == pytest.approx(6.9478)


def test_one_extreme_control_hardly_moves_the_limit() -> None:
    # Median 3, median absolute deviation 1 (of 2, 1, 0, 1, 997).
    assert off_axis_limit(np.array([1.0, 2.0, 3.0, 4.0, 1000.0]), np.array([1, -1, 1, -1, 1])) == pytest.approx(
        3 + 3 * 1.4826
    )


def test_fewer_than_four_finite_controls_give_no_limit() -> None:
    assert off_axis_limit(np.array([1.0, 2.0, 3.0, np.nan, np.inf, 4.0]), np.array([1, 1, -1, -1, 1, 0])) is None
    assert off_axis_limit(np.array([]), np.array([], int)) is None


@pytest.mark.parametrize(
    ("distances", "onset"),
    [
        ([0.0, 9.0, 0.0, 9.0], 4.0),
        ([0.0, 9.0, 9.0, 9.0], 2.0),
        ([9.0, 9.0, 9.0, 9.0], 1.0),
        ([9.0, 9.0, 9.0, 1.0], None),
        ([0.0, 0.0, 0.0, 5.0], None),
        ([0.0, 9.0, np.nan, 9.0], None),
    ],
    ids=["one stray dose", "from the second", "all", "not the highest", "at the limit", "an unknown distance"],
)
def test_the_onset_needs_every_higher_dose_beyond_the_limit(distances: list[float], onset: float | None) -> None:
    assert off_axis_onset(DOSES, np.array(distances), 5.0) == onset


def test_without_a_limit_there_is_no_onset() -> None:
    far: Float = np.full(4, 9.0)
    assert off_axis_onset(DOSES, far, None) is None


def test_classes_that_differ_by_chance_have_one_limit() -> None:
    distances, labels = np.random.default_rng(2).chisquare(5, 24), np.repeat([-1, 1], 12)
    assert off_axis_limit(distances, labels) == off_axis_limit(distances, np.roll(labels, 5))


def test_the_class_that_is_farther_out_sets_the_limit() -> None:
    negative, positive = np.array([0.8, 0.9, 1.0, 1.1, 1.2] * 4), np.array([2.0, 3.0, 4.0, 5.0])
    limit = off_axis_limit(np.concatenate([negative, positive]), np.repeat([-1, 1], [20, 4]))
    assert limit == pytest.approx(3.5 + 3 * 1.4826 * 1.0)
