"""The scores of the paper are its formula by hand, and have the bias that the other scores do not have."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis.cross_fit import AxisOptions, score_wells
from gandl_science.axis.paper import min_max, paper_scores
from gandl_science.axis.provenance import ControlStatus
from gandl_science.axis.scores import WellScores
from sklearn.svm import LinearSVC

from tests.science.simulated_plates import Design, Plate, draw

OPTIONS = AxisOptions(whitening="raw", regularisation=1.0)


def paper_scores_of(plate: Plate) -> WellScores:
    return paper_scores(plate.vectors, plate.well, plate.labels, OPTIONS, name="E2-paper")


def test_unseen_positive_controls_fall_short() -> None:
    ours, paper = [], []
    for seed in range(15):
        plate = draw(Design(controls=60, effect=2.0, features=64, tiles=4), np.random.default_rng(seed))
        unseen = (plate.labels == 0) & (plate.truth > 0)
        paper.append(paper_scores_of(plate).efficacy[unseen].mean())
        scores = score_wells(plate.vectors, plate.well, plate.labels, plate.folds)
        ours.append(scores.efficacy[unseen].mean())
    assert np.mean(paper) < 0.8
    assert np.mean(ours) == pytest.approx(1, abs=0.15)


def test_plots_are_scaled_to_one() -> None:
    plate = draw(Design(), np.random.default_rng(0))
    scores = paper_scores_of(plate)
    for values in (min_max(scores.on), min_max(scores.off)):
        assert (values.min(), values.max()) == (pytest.approx(-1), pytest.approx(1))
    assert list(min_max(np.array([2.0, 2.0, np.nan]))[:2]) == [0.0, 0.0]


def test_it_is_the_formula_by_hand() -> None:
    """One SVM on raw tiles of all labelled wells, a well the mean of its tiles' distances from the hyperplane, and
    anchors from these very scores."""
    plate = draw(Design(effect=2.0), np.random.default_rng(4))
    tiles = plate.labels[plate.well]
    svm = LinearSVC(C=1.0, dual=False, class_weight="balanced", tol=1e-6, max_iter=10_000)
    svm.fit(plate.vectors[tiles != 0].astype(float), tiles[tiles != 0])
    distance = svm.decision_function(plate.vectors.astype(float)) / np.linalg.norm(svm.coef_)
    on = np.array([distance[plate.well == w].mean() for w in range(len(plate.labels))])
    low, high = on[plate.labels < 0].mean(), on[plate.labels > 0].mean()
    scores = paper_scores_of(plate)
    np.testing.assert_allclose(scores.on, on, rtol=1e-9)
    np.testing.assert_allclose(scores.efficacy, -1 + 2 * (on - low) / (high - low), rtol=1e-9)
    np.testing.assert_allclose(
        min_max(scores.on), -1 + 2 * (on - on.min()) / (on.max() - on.min()), rtol=1e-9, atol=1e-12
    )
    assert (scores.fit.grouped_by, scores.fit.whitening) == ("none", "raw")
    assert scores.fit.control_status is ControlStatus.IN_SAMPLE
    assert np.isnan(scores.off_distance).all()
