"""Residuals are orthogonal to the axis, and distances are from what is expected at an efficacy."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float, Index
from gandl_science.axis.linear.whitening import Whitening
from gandl_science.axis.residual import OffReference, first_component, off_reference, residual_of, well_scatter

FEATURES = 6
AXIS = np.eye(FEATURES)[0]
IDENTITY = Whitening(centre=np.zeros(FEATURES), matrix=np.eye(FEATURES))


def means_of(rng: np.random.Generator) -> tuple[Float, Float, Index]:
    """Twenty wells, the first ten of them controls, whose efficacy is their first feature."""
    means = rng.normal(size=(20, FEATURES))
    labels = np.r_[np.tile([1, -1], 5), np.zeros(10)].astype(np.intp)
    means[:, 0] = np.where(labels == 0, rng.uniform(-1, 1, 20), labels)
    return means, means[:, 0].copy(), labels


def test_nothing_of_the_axis_is_left_whatever_the_whitening() -> None:
    rng = np.random.default_rng(0)
    half = rng.normal(size=(FEATURES, FEATURES))
    whitening = Whitening(centre=rng.normal(size=FEATURES), matrix=half @ half.T)
    vectors = rng.normal(size=(5, FEATURES))
    residual = residual_of(whitening, AXIS)
    np.testing.assert_allclose(residual(vectors)[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(residual(vectors)[:, 1:], whitening(vectors)[:, 1:], atol=1e-12)
    directions = rng.normal(size=(FEATURES, 2))
    np.testing.assert_allclose(residual.along(vectors, directions), residual(vectors) @ directions, atol=1e-12)


def test_a_distance_is_from_the_point_between_the_controls() -> None:
    """Controls at residual 0 and 4 along one direction of spread 2: at efficacy 0 a well is expected at 2."""
    reference = OffReference(
        negative=np.zeros(2), positive=np.array([4.0, 0.0]), basis=np.array([[1.0], [0.0]]), spread=np.array([2.0])
    )
    along = np.array([[2.0], [6.0], [0.0], [4.0], [2.0]])
    efficacy = np.array([0.0, 0.0, -1.0, 3.0, np.nan])
    assert reference.distance(along, efficacy) == pytest.approx([0, 2, 0, 0, 0])


def test_scatter_of_deviations_is_the_sum_over_wells() -> None:
    means, efficacy, labels = means_of(np.random.default_rng(1))
    residual = residual_of(IDENTITY, AXIS)
    negative, positive = (means[labels == side].mean(axis=0) for side in (-1, 1))
    fraction = ((efficacy + 1) / 2)[:, None]
    expected = residual(negative[None]) + fraction * (residual(positive[None]) - residual(negative[None]))
    deviations = residual(means) - expected
    scatter = well_scatter(means, efficacy).of_deviations(residual, negative, positive)
    np.testing.assert_allclose(scatter, deviations.T @ deviations, atol=1e-10)


def test_the_basis_starts_with_the_direction_in_which_wells_deviate_most() -> None:
    means, efficacy, labels = means_of(np.random.default_rng(2))
    means[10:15, 3] += 50
    reference = off_reference(residual_of(IDENTITY, AXIS), means, efficacy, labels, well_scatter(means, efficacy))
    assert abs(reference.basis[3, 0]) > 0.99
    assert (reference.spread > 0).all()


def test_wells_without_tiles_do_not_count() -> None:
    means, efficacy, labels = means_of(np.random.default_rng(3))
    empty = np.full((2, FEATURES), np.nan)
    more_means, more_efficacy = np.vstack([means, empty]), np.append(efficacy, empty[:, 0])
    residual = residual_of(IDENTITY, AXIS)
    without = off_reference(residual, means, efficacy, labels, well_scatter(means, efficacy))
    scatter = well_scatter(more_means, more_efficacy)
    with_empty = off_reference(residual, more_means, more_efficacy, np.append(labels, [1, 0]), scatter)
    np.testing.assert_array_equal(with_empty.spread, without.spread)


def test_the_first_component_of_many_wells_is_that_of_few() -> None:
    rng = np.random.default_rng(3)
    long = rng.normal(size=(40, 6)) * [1, 3, 1, 1, 1, 1]
    (axes,) = np.linalg.svd(long - long.mean(axis=0), full_matrices=False)[2][:1]
    np.testing.assert_allclose(np.abs(first_component(long)), np.abs(axes), atol=1e-12)


def test_the_sign_of_the_first_component_is_fixed() -> None:
    residuals = np.outer(np.arange(5.0), [0.0, -3.0, 1.0])
    direction = first_component(residuals)
    np.testing.assert_allclose(direction, np.array([0.0, 3.0, -1.0]) / np.sqrt(10), atol=1e-12)
    np.testing.assert_allclose(first_component(-residuals), direction, atol=1e-12)
