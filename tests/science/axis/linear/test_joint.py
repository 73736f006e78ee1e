"""Many linear SVMs on parts of the same tiles: each is the one that liblinear finds."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis.linear.joint import JointProblem, fit_jointly
from gandl_science.axis.linear.whitening import raw, within_class
from sklearn.svm import LinearSVC

RNG = np.random.default_rng(0)
CLASSES = np.where(RNG.random(1500) < 0.3, 1, -1)
FOLD = np.arange(1500) // 7 % 3
VECTORS = (RNG.normal(size=(1500, 20)) + 0.4 * CLASSES[:, None] + 3).astype(np.float32)
TRAINING = FOLD[:, None] != np.arange(3)


@pytest.mark.parametrize("whiten", [within_class, raw])
@pytest.mark.parametrize("regularisation", [1e-3, 1.0])
def test_weights_and_biases_are_those_of_liblinear(whiten, regularisation: float) -> None:
    whitenings = [whiten(VECTORS[own], CLASSES[own]) for own in TRAINING.T]
    problem = JointProblem(
        vectors=VECTORS,
        classes=CLASSES,
        training=TRAINING,
        whitenings=whitenings,
        regularisation=regularisation,
    )
    weights, biases = fit_jointly(problem)
    for k, own in enumerate(TRAINING.T):
        svm = LinearSVC(C=regularisation, dual=False, class_weight="balanced", tol=1e-10, max_iter=10_000)
        svm.fit(whitenings[k](VECTORS[own]), CLASSES[own])
        np.testing.assert_allclose(weights[k], svm.coef_[0], atol=1e-6)
        np.testing.assert_allclose(biases[k], svm.intercept_[0], atol=1e-6)


def test_classes_without_any_difference_have_no_direction() -> None:
    vectors, classes = np.ones((8, 3), np.float32), np.array([1, -1] * 4)
    everything = np.ones((8, 1), bool)
    whitenings = [within_class(vectors, classes)]
    problem = JointProblem(
        vectors=vectors, classes=classes, training=everything, whitenings=whitenings, regularisation=1.0
    )
    assert np.allclose(fit_jointly(problem)[0], 0)


def test_a_problem_with_one_class_is_refused() -> None:
    classes = np.ones(4, np.intp)
    with pytest.raises(ValueError, match="both classes"):
        JointProblem(
            vectors=np.ones((4, 2), np.float32),
            classes=classes,
            training=np.ones((4, 1), bool),
            whitenings=[raw(np.ones((4, 2)), classes)],
            regularisation=1.0,
        )
