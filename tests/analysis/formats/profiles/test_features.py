"""Each rule for features leaves out what it names, and what remains is finite and scaled."""

from __future__ import annotations

import numpy as np
from gandl_analysis.formats.profiles.features import judge_features, measured_rows, space_digest, usable_vectors
from gandl_shared.models import FeatureRule
from numpy.typing import NDArray


def values() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(5, 2, (200, 6)).astype(np.float32)


def test_rules_apply_in_order() -> None:
    x = values()
    x[:11, 0] = np.nan
    x[:, 1] = 3
    x[:, 3] = x[:, 2]
    x[7, 4] = 1e5
    features = judge_features(x, list("abcdef"))
    expected = (FeatureRule.MISSING, FeatureRule.CONSTANT, None, FeatureRule.DUPLICATED, FeatureRule.OUTLYING, None)
    assert features.rules == expected


def test_scaled_features_have_a_robust_spread_of_one() -> None:
    x = values()
    x[3, 0] = np.nan
    features = judge_features(x, list("abcdef"))
    vectors, filled = usable_vectors(x, features, scaled=True)
    assert (filled, vectors[3, 0]) == (1, 0)
    np.testing.assert_allclose(np.median(vectors, axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(1.4826 * np.median(np.abs(vectors), axis=0), 1, rtol=0.02)


def test_a_mostly_equal_feature_is_used_with_its_standard_deviation() -> None:
    x = values()
    x[:, 0] = 0
    x[:20, 0] = 1
    features = judge_features(x, list("abcdef"))
    assert features.rules[0] is None
    np.testing.assert_allclose(features.spread[0], x[:, 0].std())


def test_rows_without_half_of_the_features_are_no_measurement() -> None:
    x = values()
    x[0, :3] = np.inf
    x[1, :4] = np.nan
    assert np.flatnonzero(~measured_rows(x)).tolist() == [1]
    assert np.isnan(x[0, :3]).all()


def test_the_identity_of_scaled_features_holds_their_scale() -> None:
    one, other = judge_features(values(), list("abcdef")), judge_features(values() * 2, list("abcdef"))
    assert space_digest(one, scaled=True) != space_digest(other, scaled=True)
    assert space_digest(one, scaled=False) == space_digest(other, scaled=False)
    renamed = judge_features(values(), list("abcdeg"))
    assert space_digest(one, scaled=False) != space_digest(renamed, scaled=False)
