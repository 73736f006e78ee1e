"""Swapped labels of single controls: how many are named, and how rarely right ones are."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float, Index
from gandl_science.assay.controls.mislabelled import mislabelled_controls

SCREENS = 200


def screen(seed: int, n: int, apart: float, swapped: int = 0) -> tuple[Float, Index]:
    """Scores of `n` controls of each class, `apart` standard deviations, and labels, some of them swapped."""
    rng = np.random.default_rng([seed, n])
    truth = np.repeat([-1, 1], n)
    labels = truth.copy()
    labels[[0, -1][:swapped]] *= -1
    return rng.normal(size=2 * n) + truth * apart / 2, labels


@pytest.mark.parametrize("apart", [2.0, 4.0, 8.0, 12.0])
@pytest.mark.parametrize("n", [4, 6, 8, 16])
def test_right_labels_are_rarely_doubted(n: int, apart: float) -> None:
    named = sum(mislabelled_controls(*screen(seed, n, apart)).any() for seed in range(SCREENS))
    assert named <= 0.02 * SCREENS


@pytest.mark.parametrize(
    ("n", "swapped", "share"), [(6, 1, 0.95), (8, 1, 0.95), (16, 1, 0.99), (6, 2, 0.85), (16, 2, 0.99)]
)
def test_swapped_labels_of_a_good_assay_are_named(n: int, swapped: int, share: float) -> None:
    """Classes 12 standard deviations apart have Z′ 0.5."""
    hits = 0
    for seed in range(SCREENS):
        scores, labels = screen(seed, n, 12.0, swapped)
        wrong = (scores > 0) != (labels > 0)
        hits += np.array_equal(mislabelled_controls(scores, labels), wrong)
    assert hits >= share * SCREENS


def test_an_extreme_control_of_its_own_class_is_not_named() -> None:
    scores = np.r_[-1.0, -1.1, -0.9, -1.05, -60, 1.0, 1.1, 0.9, 1.05, 60]
    labels = np.repeat([-1, 1], 5)
    assert not mislabelled_controls(scores, labels).any()
    # Nor one that is beyond the other class: it is like neither.
    assert not mislabelled_controls(np.r_[scores[:-1], -30], labels).any()


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        (np.r_[-1.0, 0, 1, 9, 9, 9, -1], np.repeat([-1, 1], [3, 4])),
        (np.repeat([-1.0, 1.0], 5), np.repeat([-1, 1], 5)),
        (np.r_[np.arange(5.0), np.arange(5.0) - 9], np.repeat([-1, 1], 5)),
        (np.r_[np.arange(5.0), np.full(5, np.nan)], np.repeat([-1, 1], 5)),
    ],
    ids=["three of a class", "no scatter", "the wrong way round", "without scores"],
)
def test_what_cannot_be_judged_is_not_named(scores: Float, labels: Index) -> None:
    assert not mislabelled_controls(scores, labels).any()
