"""Named axes label wells as they say; the paper's preset shows the bias that it has."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis.cross_fit import AxisOptions, score_wells
from gandl_science.axis.definition import E2, AxisDefinition, class_axes, group, standard_axes
from gandl_science.axis.folds import grouped_folds
from gandl_science.axis.paper import min_max, paper_scores
from sklearn.svm import LinearSVC

from tests.science.simulated_plates import Design, draw


def test_efficacy_runs_from_negative_to_positive_control() -> None:
    roles = ["positive_control", "treatment", "negative_control", "empty"]
    assert list(E2.labels({"role": roles})) == [1, 0, -1, 0]
    assert E2.within == "cell_line"


def test_two_cell_lines_make_one_axis_and_three_make_three() -> None:
    (two,) = class_axes("C2", "cell_line", ["HRCE", "VERO", "HRCE"])
    assert list(two.labels(controls(["VERO", "HRCE", "U2OS"]))) == [1, -1, 0]
    three = class_axes("C2", "cell_line", ["A", "B", "C"])
    assert [axis.name for axis in three] == ["C2:A", "C2:B", "C2:C"]
    assert list(three[1].labels(controls(["A", "B", "C"]))) == [-1, 1, -1]
    assert class_axes("C2", "cell_line", ["A", "A"]) == ()


def test_treatments_do_not_define_cell_lines() -> None:
    (axis,) = class_axes("C2", "cell_line", ["A", "B"])
    table = {"cell_line": ["A", "B", "B"], "role": ["positive_control", "negative_control", "treatment"]}
    assert list(axis.labels(table)) == [-1, 1, 0]


def test_which_axes_every_screen_has() -> None:
    assert [axis.name for axis in standard_axes(["A"])] == ["E2"]
    assert [axis.name for axis in standard_axes(["A", "B"])] == ["E2", "E2-pooled", "C2"]
    assert [axis.name for axis in standard_axes("ABC")] == ["E2", "E2-pooled", "C2:A", "C2:B", "C2:C"]


def test_a_group_has_one_of_the_values_in_every_column() -> None:
    table = {"density": ["low", "mid", "high", "high"], "role": ["treatment", "treatment", "treatment", "empty"]}
    axis = AxisDefinition("density", group(density=["mid", "high"], role="treatment"), group(density="low"))
    assert axis.labels(table).tolist() == [-1, 1, 1, 0]
    with pytest.raises(ValueError, match="both sides"):
        AxisDefinition("x", group(role="empty"), group(density="high")).labels(table)
    with pytest.raises(KeyError):
        AxisDefinition("x", group(batch="1"), group(density="high")).labels(table)


def test_a_named_axis_separates_cell_lines() -> None:
    plate = draw(Design(effect=6.0), np.random.default_rng(0))
    (axis,) = class_axes("C2", "cell_line", ["A", "B"])
    roles = np.where(plate.labels == 0, "treatment", "negative_control").tolist()
    labels = axis.labels({"cell_line": np.where(plate.truth > 0, "B", "A").tolist(), "role": roles})
    folds = grouped_folds(plate.plates, plate.names, labels)
    assert folds is not None
    scores = score_wells(plate.vectors, plate.well, labels, folds, options=AxisOptions(name=axis.name))
    assert scores.axis.name == "C2"
    assert np.mean((scores.on > 0) == (plate.truth > 0)) > 0.95


def controls(lines: list[str]) -> dict[str, list[str]]:
    return {"cell_line": lines, "role": ["negative_control"] * len(lines)}


class TestPaperPreset:
    def test_unseen_positive_controls_fall_short(self) -> None:
        ours, paper = [], []
        for seed in range(15):
            plate = draw(Design(controls=60, effect=2.0, features=64, tiles=4), np.random.default_rng(seed))
            unseen = (plate.labels == 0) & (plate.truth > 0)
            folds = grouped_folds(plate.plates, plate.names, plate.labels)
            assert folds is not None
            paper.append(paper_scores(plate.vectors, plate.well, plate.labels).efficacy[unseen].mean())
            ours.append(score_wells(plate.vectors, plate.well, plate.labels, folds).efficacy[unseen].mean())
        assert np.mean(paper) < 0.8
        assert np.mean(ours) == pytest.approx(1, abs=0.15)

    def test_plots_are_scaled_to_one(self) -> None:
        plate = draw(Design(), np.random.default_rng(0))
        scores = paper_scores(plate.vectors, plate.well, plate.labels)
        for values in (min_max(scores.on), min_max(scores.off)):
            assert (values.min(), values.max()) == (pytest.approx(-1), pytest.approx(1))
        assert list(min_max(np.array([2.0, 2.0, np.nan]))[:2]) == [0.0, 0.0]

    def test_it_is_the_formula_by_hand(self) -> None:
        """One SVM on raw tiles of all labelled wells, a well the mean of its tiles' distances from the hyperplane, and
        anchors from these very scores."""
        plate = draw(Design(effect=2.0), np.random.default_rng(4))
        tiles = plate.labels[plate.well]
        svm = LinearSVC(C=1.0, dual=False, class_weight="balanced", tol=1e-6, max_iter=10_000)
        svm.fit(plate.vectors[tiles != 0].astype(float), tiles[tiles != 0])
        distance = svm.decision_function(plate.vectors.astype(float)) / np.linalg.norm(svm.coef_)
        on = np.array([distance[plate.well == w].mean() for w in range(len(plate.labels))])
        low, high = on[plate.labels < 0].mean(), on[plate.labels > 0].mean()
        scores = paper_scores(plate.vectors, plate.well, plate.labels)
        np.testing.assert_allclose(scores.on, on, rtol=1e-9)
        np.testing.assert_allclose(scores.efficacy, -1 + 2 * (on - low) / (high - low), rtol=1e-9)
        np.testing.assert_allclose(
            min_max(scores.on), -1 + 2 * (on - on.min()) / (on.max() - on.min()), rtol=1e-9, atol=1e-12
        )
        assert (scores.axis.level, scores.axis.whiten) == ("none", "raw")
        assert np.isnan(scores.off_distance).all()
