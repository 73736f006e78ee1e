"""Z′, SSMD and their kin against hand-worked figures; intervals that respect wells; the verdict."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.accuracy import Confusion, confusion, tile_accuracy_interval, wilson
from gandl_science.assay.grade import QualityThresholds, verdict
from gandl_science.assay.separation import roc_auc, separation, ssmd, v_factor, z_prime, z_prime_robust
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint


def with_moments(mean: float, sd: float, n: int = 20) -> NDArray[np.float64]:
    x = np.random.default_rng(int(abs(mean) * 7 + n)).normal(size=n)
    return mean + sd * (x - x.mean()) / x.std(ddof=1)


def test_the_figures_of_the_documentation() -> None:
    """At means ±1 and spreads 0.15: Z′ 0.55, SSMD 9.43."""
    positive, negative = with_moments(1, 0.15), with_moments(-1, 0.15)
    assert z_prime(positive, negative) == pytest.approx(0.55)
    assert ssmd(positive, negative) == pytest.approx(9.428, abs=1e-3)


def test_robust_z_prime_ignores_one_wild_well() -> None:
    positive, negative = with_moments(1, 0.1), with_moments(-1, 0.1)
    wild = np.r_[positive[:-1], 30.0]
    plain, robust = z_prime(wild, negative), z_prime_robust(wild, negative)
    assert plain is not None and robust is not None
    assert plain < -4
    assert robust > 0.5


def test_v_factor_by_hand() -> None:
    """Spreads of the doses 0.1 and 0.3, controls 2 apart: 1 - 6 x 0.2 / 2 = 0.4."""
    doses = [with_moments(0, 0.1), with_moments(0.5, 0.3), np.array([9.0])]
    assert v_factor(doses, np.array([1.0]), np.array([-1.0])) == pytest.approx(0.4)
    assert v_factor([np.array([1.0])], np.array([1.0]), np.array([-1.0])) is None


def test_roc_auc_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 6, 15).astype(float), rng.integers(-2, 4, 22).astype(float)
    expected = roc_auc_score(np.r_[np.ones(15), np.zeros(22)], np.r_[positive, negative])
    assert roc_auc(positive, negative) == pytest.approx(expected)


def test_one_well_of_a_class_gives_no_spread() -> None:
    found = separation(np.array([1.0]), np.array([-1.0, -0.9]))
    assert (found.z_prime, found.z_prime_robust, found.ssmd, found.n_positive) == (None, None, None, 1)


def test_equal_controls_give_no_z_prime() -> None:
    same = np.array([0.5, 0.5, 0.5])
    found = separation(same, same)
    assert (found.z_prime, found.ssmd) == (None, None)


def test_controls_the_wrong_way_round_have_no_z_prime_and_are_poor() -> None:
    found = separation(with_moments(-1, 0.1), with_moments(1, 0.1))
    assert (found.z_prime, found.z_prime_robust, found.roc_auc) == (None, None, 0.0)
    assert found.ssmd is not None and found.ssmd < -10
    assert v_factor([with_moments(0, 0.1)], with_moments(-1, 0.1), with_moments(1, 0.1)) is None
    said = verdict(found, None)
    assert said.grade == "poor" and "on the side of the negative ones" in said.reasons[0]


@pytest.mark.parametrize(("k", "n"), [(0, 8), (8, 8), (5, 8), (190, 200)])
def test_wilson_is_that_of_statsmodels(k: int, n: int) -> None:
    assert wilson(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"))
    assert wilson(0, 0) is None


def test_tile_interval_covers_wells_not_tiles() -> None:
    """Wells that are all right or all wrong: the interval must be as wide as for so many wells."""
    right = np.array([25, 25, 25, 0, 25, 25, 0, 25])
    tiles, labels = np.full(8, 25), np.repeat([1, -1], 4)
    found = tile_accuracy_interval(right, tiles, labels, np.random.default_rng(0))
    assert found is not None
    assert found[1] - found[0] > 0.4
    assert tile_accuracy_interval(right[:5], tiles[:5], labels[:5], np.random.default_rng(0)) is None


@pytest.mark.parametrize(("share", "expected"), [(1, wilson(8, 8)), (0, wilson(0, 8))])
def test_tile_interval_where_every_draw_is_equal_is_that_of_the_wells(
    share: int, expected: tuple[float, float]
) -> None:
    tiles, labels = np.full(8, 25), np.repeat([1, -1], 4)
    assert tile_accuracy_interval(share * tiles, tiles, labels, np.random.default_rng(0)) == expected
    assert 0.3 < expected[1] - expected[0] < 0.35


def test_confusion_counts_sides() -> None:
    on = np.array([1.0, -0.1, -2.0, 0.3, np.nan, 5.0])
    found = confusion(on, np.array([1, 1, -1, -1, -1, 0]))
    assert found == Confusion(1, 1, 1, 1)
    assert found.accuracy == 0.5


class TestVerdict:
    def test_by_the_worse_of_both(self) -> None:
        good = separation(with_moments(1, 0.1), with_moments(-1, 0.1))
        assert verdict(good, (0.9, 1.0)).grade == "good"
        wild = separation(np.r_[with_moments(1, 0.1), 4.0], with_moments(-1, 0.1))
        found = verdict(wild, (0.9, 1.0))
        assert found.grade != "good"
        assert "unlike the others" in found.reasons[-1]

    def test_chance_is_poor(self) -> None:
        good = separation(with_moments(1, 0.1), with_moments(-1, 0.1))
        assert verdict(good, (0.45, 0.8)).grade == "poor"

    def test_few_controls_are_undetermined(self) -> None:
        few = separation(with_moments(1, 0.1, 3), with_moments(-1, 0.1, 16))
        assert verdict(few, (0.9, 1.0)).grade == "undetermined"
        assert verdict(few, (0.9, 1.0), QualityThresholds(controls=3)).grade == "good"

    def test_thresholds_can_be_set(self) -> None:
        fair = separation(with_moments(1, 0.2), with_moments(-1, 0.2))
        assert verdict(fair, (0.9, 1.0)).grade == "usable"
        assert verdict(fair, (0.9, 1.0), QualityThresholds(good=0.1)).grade == "good"
        assert verdict(fair, (0.9, 1.0), QualityThresholds(usable=0.4)).grade == "poor"
