"""Named axes label the wells that their groups describe."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.axis.cross_fit import score_wells
from gandl_science.axis.definition import E2, AxisDefinition, AxisKind, cell_line_axes, group, standard_axes
from gandl_science.axis.folds import grouped_folds

from tests.science.simulated_plates import Design, draw


def test_efficacy_runs_from_negative_to_positive_control() -> None:
    roles = ["positive_control", "treatment", "negative_control", "empty"]
    assert list(E2.labels({"role": roles})) == [1, 0, -1, 0]
    assert E2.within == "cell_line"


def test_two_cell_lines_make_one_axis_and_three_make_three() -> None:
    (two,) = cell_line_axes(["HRCE", "VERO", "HRCE"])
    assert list(two.labels(controls(["VERO", "HRCE", "U2OS"]))) == [1, -1, 0]
    three = cell_line_axes(["A", "B", "C"])
    assert [axis.name for axis in three] == ["C2:A", "C2:B", "C2:C"]
    assert list(three[1].labels(controls(["A", "B", "C"]))) == [-1, 1, -1]
    assert cell_line_axes(["A", "A"]) == ()


def test_treatments_do_not_define_cell_lines() -> None:
    (axis,) = cell_line_axes(["A", "B"])
    table = {"cell_line": ["A", "B", "B"], "role": ["positive_control", "negative_control", "treatment"]}
    assert list(axis.labels(table)) == [-1, 1, 0]


def test_only_axes_between_cell_lines_are_fitted_on_raw_vectors() -> None:
    kinds = {axis.name: axis.kind for axis in standard_axes(["A", "B"])}
    assert kinds == {"E2": AxisKind.EFFICACY, "E2-pooled": AxisKind.EFFICACY, "C2": AxisKind.CELL_LINES}
    assert [kind.on_raw_vectors for kind in AxisKind] == [kind is AxisKind.CELL_LINES for kind in AxisKind]
    by_hand = AxisDefinition(name="C2-like", positive=group(cell_line="A"), negative=group(cell_line="B"))
    assert not by_hand.kind.on_raw_vectors


def test_which_axes_every_screen_has() -> None:
    assert [axis.name for axis in standard_axes(["A"])] == ["E2"]
    assert [axis.name for axis in standard_axes(["A", "B"])] == ["E2", "E2-pooled", "C2"]
    assert [axis.name for axis in standard_axes("ABC")] == ["E2", "E2-pooled", "C2:A", "C2:B", "C2:C"]


def test_a_group_has_one_of_the_values_in_every_column() -> None:
    table = {"density": ["low", "mid", "high", "high"], "role": ["treatment", "treatment", "treatment", "empty"]}
    axis = AxisDefinition(
        name="density", positive=group(density=["mid", "high"], role="treatment"), negative=group(density="low")
    )
    assert axis.labels(table).tolist() == [-1, 1, 1, 0]
    with pytest.raises(ValueError, match="both sides"):
        AxisDefinition(name="x", positive=group(role="empty"), negative=group(density="high")).labels(table)
    with pytest.raises(KeyError):
        AxisDefinition(name="x", positive=group(batch="1"), negative=group(density="high")).labels(table)


def test_a_named_axis_separates_cell_lines() -> None:
    plate = draw(Design(effect=6.0), np.random.default_rng(0))
    (axis,) = cell_line_axes(["A", "B"])
    roles = np.where(plate.labels == 0, "treatment", "negative_control").tolist()
    labels = axis.labels({"cell_line": np.where(plate.truth > 0, "B", "A").tolist(), "role": roles})
    folds = grouped_folds(plate.positions, labels)
    assert folds is not None
    scores = score_wells(plate.vectors, plate.well, labels, folds, name=axis.name)
    assert scores.fit.name == "C2"
    assert np.mean((scores.on > 0) == (plate.truth > 0)) > 0.95


def controls(lines: list[str]) -> dict[str, list[str]]:
    return {"cell_line": lines, "role": ["negative_control"] * len(lines)}
