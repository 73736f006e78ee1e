"""The axes of an analysis as the service answers them."""

from __future__ import annotations

import pytest
from gandl_analysis.formats.store_layout import read_analysis, read_axes
from gandl_analysis.service.screen_axes import screen_axes
from gandl_shared.errors import NotFound

from tests.analysis.service.stack import Stack


def test_axes_are_selected_by_name(shared_stack: Stack) -> None:
    at = f"/screens/{shared_stack.second}/axes"
    everything = shared_stack.client.get(at).json()["axes"]
    for name in ("E2", "E2-pooled", "C2"):
        selected = shared_stack.client.get(at, params={"axis": name}).json()["axes"]
        assert selected == [axis for axis in everything if axis["name"] == name] != []
    both = shared_stack.client.get(at, params={"axis": ["C2", "E2"]}).json()["axes"]
    assert [axis["name"] for axis in both] == ["E2", "E2", "C2"]
    answer = shared_stack.client.get(at, params={"axis": "C3"})
    assert answer.status_code == 404
    assert "no axis 'C3'; this analysis has E2, E2-pooled, C2" in answer.json()["detail"]


def test_stored_axes_are_those_of_the_answer(shared_stack: Stack) -> None:
    answered = shared_stack.client.get(f"/screens/{shared_stack.second}/axes").json()["axes"]
    stored = read_axes(shared_stack.store, shared_stack.second, 1)
    assert {fit.digest for fit in stored.fits} == {axis["hash"] for axis in answered}


def test_points_are_the_wells_with_their_scores(shared_stack: Stack) -> None:
    analysis = read_analysis(shared_stack.store, shared_stack.second, 1)
    answer = screen_axes(shared_stack.second, 1, analysis, ["E2"])
    for axis in answer.axes:
        wells = [well for well in analysis.wells if well.cell_line == axis.cell_line]
        assert [(p.well, p.on, p.scaled) for p in axis.points] == [(w.well, w.on, w.efficacy) for w in wells]
        sides = {(point.role, point.side) for point in axis.points}
        assert sides == {("positive_control", "positive"), ("negative_control", "negative"), ("treatment", None)}


def test_an_unknown_name_lists_the_axes_of_the_analysis(shared_stack: Stack) -> None:
    analysis = read_analysis(shared_stack.store, shared_stack.first, 1)
    with pytest.raises(NotFound, match="no axis 'C3'; this analysis has E2"):
        screen_axes(shared_stack.first, 1, analysis, ["E2", "C3"])
