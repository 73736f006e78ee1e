"""The points of the scatter."""

from __future__ import annotations

import numpy as np
from gandl_analysis.pages.overviews.scatter_view import (
    MAX_GROUPS,
    axis_position,
    component_positions,
    positions,
    scatter_view,
)
from gandl_analysis.pipeline.result import AxisScores
from gandl_analysis.report.quantities import Quantity, Scale, quantities
from gandl_shared.store import Profiles

from tests.analysis.example.screen import example_analysis

ANALYSIS = example_analysis()
BY_NAME = {quantity.name: quantity for quantity in quantities(ANALYSIS)}


def test_every_well_with_both_values_is_a_point() -> None:
    view = scatter_view(ANALYSIS, BY_NAME["efficacy"].values, BY_NAME["off_distance"].values, BY_NAME["role"])
    scored = [w for w in ANALYSIS.wells if w.efficacy is not None and w.off_distance is not None]
    assert (len(view.points), view.n_without) == (len(scored), len(ANALYSIS.wells) - len(scored))
    first = view.points[0]
    assert (first.x, first.y) == (scored[0].efficacy, scored[0].off_distance)
    assert view.groups[first.group] == scored[0].role.label
    assert first.record[:2] == ["HRCE-1", "A01"]


def test_many_texts_share_the_last_colour() -> None:
    values = {(w.plate, w.well): w.well for w in ANALYSIS.wells}
    colour = Quantity(name="well", label="well", meaning="", scale=Scale.CATEGORY, values=values)
    view = scatter_view(ANALYSIS, BY_NAME["efficacy"].values, BY_NAME["efficacy"].values, colour)
    assert len(view.groups) == MAX_GROUPS
    assert view.groups[-1] == "other"
    assert max(point.group for point in view.points) == MAX_GROUPS - 1


def test_positions_along_another_axis_are_the_stored_ones() -> None:
    c2 = AxisScores(
        name="C2", cell_line=None, positive={}, negative={}, hash="x", wells=(1, 3), side=(1, -1), on=(0.0, 0.0),
        scaled=(0.5, None), off=(0.0, 0.0), off_distance=(0.0, 0.0),
    )  # fmt: skip
    analysis = ANALYSIS.model_copy(update={"axes": (c2,)})
    assert ("axis:C2", "axis C2") in positions(analysis)
    wells = analysis.wells
    expected = {(wells[1].plate, wells[1].well): 0.5, (wells[3].plate, wells[3].well): None}
    assert axis_position(analysis, "axis:C2") == expected


def test_components_separate_what_differs_most() -> None:
    rng = np.random.default_rng(2000)
    n = 40
    wells = np.array([f"A{1 + k // 4:02d}" for k in range(n)], object)
    far = np.array([0.0 if k < n // 2 else 8.0 for k in range(n)])
    # A feature that all others follow dominates the standardised features.
    vectors = (far[:, None] + rng.normal(size=(n, 6))).astype(np.float32)
    text, zeros = np.full(n, "P", object), np.zeros(n, np.int32)
    profiles = Profiles(plates=text, wells=wells, sites=text, tiles=zeros, y=zeros, x=zeros, keys=text, vectors=vectors)
    scores = component_positions(profiles, "component:1")
    assert list(scores) == [("P", f"A{k:02d}") for k in range(1, 11)]
    low, high = [scores["P", f"A{k:02d}"] for k in (1, 5)], [scores["P", f"A{k:02d}"] for k in (6, 10)]
    assert max(map(float, low)) < min(map(float, high))  # type: ignore[arg-type]
