"""Whitenings of many training sets from one pass over the tiles."""

from __future__ import annotations

import numpy as np
from gandl_science.axis.linear.moments import fold_whitenings
from gandl_science.axis.linear.whitening import rotated_whitening, whitening_of_covariance, within_class

RNG = np.random.default_rng(0)
CLASSES = np.where(np.arange(300) % 3 == 0, 1, -1)
FOLD = np.arange(300) // 5 % 4
VECTORS = (RNG.normal(size=(300, 12)) @ RNG.normal(size=(12, 12)) + 50 + CLASSES[:, None]).astype(np.float32)


def test_each_whitening_is_that_of_the_tiles_outside_its_fold() -> None:
    whitenings = fold_whitenings(VECTORS, CLASSES, FOLD, 4)
    assert whitenings is not None
    for k, whitening in enumerate([*whitenings.without, whitenings.whole]):
        expected = within_class(VECTORS[k != FOLD], CLASSES[k != FOLD])
        # A rotation of the whitened space changes the matrix, and leaves its product with itself.
        own, other = (each.matrix @ each.matrix.T for each in (whitening, expected))
        np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(whitening.centre, expected.centre, rtol=1e-12)


def test_the_whole_is_whitened_without_a_rotation() -> None:
    whitenings = fold_whitenings(VECTORS, CLASSES, FOLD, 4)
    assert whitenings is not None
    expected = within_class(VECTORS, CLASSES)
    np.testing.assert_allclose(whitenings.whole.matrix, expected.matrix, rtol=1e-9, atol=1e-12)


def test_a_nearly_singular_covariance_is_not_rotated() -> None:
    for smallest in (0.0, 1e-12):
        covariance = np.diag([1.0, 2.0, smallest])
        expected = whitening_of_covariance(np.zeros(3), covariance)
        assert np.array_equal(rotated_whitening(np.zeros(3), covariance).matrix, expected.matrix)


def test_a_feature_in_another_unit_needs_a_pass_of_its_own() -> None:
    scaled = VECTORS * np.where(np.arange(12) == 3, 1e6, 1).astype(np.float32)
    assert fold_whitenings(scaled, CLASSES, FOLD, 4) is None
