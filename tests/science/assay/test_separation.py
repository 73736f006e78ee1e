"""Z′, SSMD and related measures against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.assay.separation import roc_auc, separation, ssmd, v_factor, z_prime, z_prime_robust
from sklearn.metrics import roc_auc_score

from tests.science.assay_scores import with_moments


def test_the_example_of_the_documentation() -> None:
    """With means ±1 and standard deviations 0.15, Z′ is 0.55 and SSMD is 9.43."""
    positive, negative = with_moments(1, 0.15), with_moments(-1, 0.15)
    assert z_prime(positive, negative) == pytest.approx(0.55)
    assert ssmd(positive, negative) == pytest.approx(9.428, abs=1e-3)


def test_robust_z_prime_ignores_one_extreme_well() -> None:
    positive, negative = with_moments(1, 0.1), with_moments(-1, 0.1)
    extreme = np.r_[positive[:-1], 30.0]
    plain, robust = z_prime(extreme, negative), z_prime_robust(extreme, negative)
    assert plain is not None and robust is not None
    assert plain < -4
    assert robust > 0.5


def test_v_factor_by_hand() -> None:
    """The doses have standard deviations 0.1 and 0.3, and the controls are 2 apart: 1 - 6 x 0.2 / 2 = 0.4."""
    doses = [with_moments(0, 0.1), with_moments(0.5, 0.3), np.array([9.0])]
    assert v_factor(doses, np.array([1.0]), np.array([-1.0])) == pytest.approx(0.4)
    assert v_factor([np.array([1.0])], np.array([1.0]), np.array([-1.0])) is None


def test_roc_auc_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 6, 15).astype(float), rng.integers(-2, 4, 22).astype(float)
    expected = roc_auc_score(np.r_[np.ones(15), np.zeros(22)], np.r_[positive, negative])
    assert roc_auc(positive, negative) == pytest.approx(expected)


def test_one_well_of_a_class_gives_no_spread() -> None:
    few = separation(np.array([1.0]), np.array([-1.0, -0.9]))
    assert (few.z_prime, few.z_prime_robust, few.ssmd, few.n_positive) == (None, None, None, 1)


def test_equal_controls_give_no_z_prime() -> None:
    equal = np.array([0.5, 0.5, 0.5])
    measures = separation(equal, equal)
    assert (measures.z_prime, measures.ssmd) == (None, None)


def test_controls_in_the_wrong_order_have_no_z_prime() -> None:
    measures = separation(with_moments(-1, 0.1), with_moments(1, 0.1))
    assert (measures.z_prime, measures.z_prime_robust, measures.roc_auc) == (None, None, 0.0)
    assert measures.ssmd is not None and measures.ssmd < -10
    assert v_factor([with_moments(0, 0.1)], with_moments(-1, 0.1), with_moments(1, 0.1)) is None
