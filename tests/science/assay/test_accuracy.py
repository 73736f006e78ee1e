"""Confusion of controls by the side of the axis, and intervals that respect wells."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.accuracy import Confusion, confusion, share_right, tile_accuracy_interval, wilson
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint


def test_confusion_counts_wells_by_side() -> None:
    on = np.array([1.0, -0.1, -2.0, 0.3, np.nan, 5.0])
    counts = confusion(on, np.array([1, 1, -1, -1, -1, 0]))
    assert counts == Confusion(positive_right=1, positive_wrong=1, negative_right=1, negative_wrong=1)
    assert (counts.right, counts.total, counts.accuracy) == (2, 4, 0.5)


def test_confusion_of_no_wells_has_no_accuracy() -> None:
    assert confusion(np.array([np.nan]), np.array([1])).accuracy is None


@pytest.mark.parametrize(("k", "n"), [(0, 8), (8, 8), (5, 8), (190, 200)])
def test_wilson_is_that_of_statsmodels_and_scipy(k: int, n: int) -> None:
    assert wilson(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"))
    interval = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((interval.low, interval.high), abs=1e-15)


def test_wilson_without_trials() -> None:
    assert wilson(0, 0) is None


def test_the_share_of_right_tiles_ignores_wells_that_were_not_classified() -> None:
    tiles_right, n_tiles = np.array([3, -1, 1]), np.array([4, 4, 4])
    assert share_right(tiles_right, n_tiles, np.array([True, True, True])) == 0.5
    assert share_right(tiles_right, n_tiles, np.array([False, True, False])) is None


def test_the_tile_interval_is_as_wide_as_that_of_wells() -> None:
    """In each well all tiles are right or all are wrong, so that the wells are the sample, not the tiles."""
    tiles_right = np.array([25, 25, 25, 0, 25, 25, 0, 25])
    n_tiles, labels = np.full(8, 25), np.repeat([1, -1], 4)
    interval = tile_accuracy_interval(tiles_right, n_tiles, labels, np.random.default_rng(0))
    assert interval is not None
    assert interval[1] - interval[0] > 0.4
    one_negative = np.arange(5)
    few = tile_accuracy_interval(
        tiles_right[one_negative], n_tiles[one_negative], labels[one_negative], np.random.default_rng(0)
    )
    assert few is None


@pytest.mark.parametrize(("share", "expected"), [(1, wilson(8, 8)), (0, wilson(0, 8))])
def test_the_tile_interval_of_equal_resamples_is_that_of_the_wells(share: int, expected: tuple[float, float]) -> None:
    n_tiles, labels = np.full(8, 25), np.repeat([1, -1], 4)
    assert tile_accuracy_interval(share * n_tiles, n_tiles, labels, np.random.default_rng(0)) == expected
    assert 0.3 < expected[1] - expected[0] < 0.35
