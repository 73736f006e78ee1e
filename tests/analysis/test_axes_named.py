"""Named axes label wells as they say; the paper's preset shows the bias that it has."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.stats.axes import AxisOptions, score_wells
from gandl_analysis.stats.axis_registry import E2, AxisDefinition, class_axes, standard_axes
from gandl_analysis.stats.folds import grouped_folds
from gandl_analysis.stats.paper_preset import min_max, paper_scores

from tests.analysis.simulated_plates import Design, draw


def test_efficacy_runs_from_negative_to_positive_control() -> None:
    roles = ["positive_control", "treatment", "negative_control", "empty"]
    assert list(E2.labels(roles)) == [1, 0, -1, 0]
    assert E2.within == "cell_line"


def test_two_cell_lines_make_one_axis_and_three_make_three() -> None:
    (two,) = class_axes("C2", "cell_line", ["HRCE", "VERO", "HRCE"])
    assert list(two.labels(["VERO", "HRCE", "U2OS"])) == [1, -1, 0]
    three = class_axes("C2", "cell_line", ["A", "B", "C"])
    assert [axis.name for axis in three] == ["C2:A", "C2:B", "C2:C"]
    assert list(three[1].labels(["A", "B", "C"])) == [-1, 1, -1]
    assert class_axes("C2", "cell_line", ["A", "A"]) == ()


def test_labels_can_be_limited_to_some_wells() -> None:
    (axis,) = class_axes("C2", "cell_line", ["A", "B"])
    assert list(axis.labels(["A", "B", "B"], np.array([True, True, False]))) == [-1, 1, 0]


def test_any_two_groups_can_be_registered() -> None:
    registry = standard_axes(["A", "B"])
    mine = AxisDefinition("density", "density", frozenset({"high"}), frozenset({"low"}))
    assert registry.with_axis(mine).get("density").labels(["low", "mid", "high"]).tolist() == [-1, 0, 1]
    with pytest.raises(KeyError, match="known are C2, E2, E2-pooled"):
        registry.get("density")
    with pytest.raises(ValueError, match="there already"):
        registry.with_axis(E2)
    with pytest.raises(ValueError, match="both sides"):
        registry.with_axis(AxisDefinition("x", "role", frozenset({"a"}), frozenset({"a"})))


def test_a_named_axis_separates_cell_lines() -> None:
    plate = draw(Design(effect=6.0), np.random.default_rng(0))
    (axis,) = class_axes("C2", "cell_line", ["A", "B"])
    labels = axis.labels(np.where(plate.truth > 0, "B", "A").tolist(), plate.labels != 0)
    folds = grouped_folds(plate.plates, plate.names, labels)
    assert folds is not None
    scores = score_wells(plate.vectors, plate.well, labels, folds, options=AxisOptions(name=axis.name))
    assert scores.axis.name == "C2"
    assert np.mean((scores.on > 0) == (plate.truth > 0)) > 0.95


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
        for values in (scores.on_plot, scores.off_plot):
            assert (values.min(), values.max()) == (pytest.approx(-1), pytest.approx(1))
        assert list(min_max(np.array([2.0, 2.0, np.nan]))[:2]) == [0.0, 0.0]
