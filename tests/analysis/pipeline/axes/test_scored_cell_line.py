"""A scored cell line without its emptied wells, and parts of it."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine

from tests.analysis.scored_cell_lines import scored_cell_line


@pytest.fixture(scope="module")
def with_emptied() -> ScoredCellLine:
    return scored_cell_line(emptied=["A04"])


def test_an_emptied_well_loses_its_score_but_not_its_off_axis_distance(with_emptied: ScoredCellLine) -> None:
    cell_line = with_emptied.without_emptied
    a04 = [w.well for w in cell_line.wells].index("A04")
    s = cell_line.scores
    assert np.isnan([s.on[a04], s.off[a04], s.efficacy[a04]]).all()
    assert (s.n_tiles[a04], np.isfinite(s.off_distance[a04])) == (0, True)
    assert len(s.tile_on) == len(cell_line.tiles.vectors) == len(with_emptied.tiles.vectors) - 6
    assert a04 not in cell_line.tiles.well


def test_without_emptied_wells_nothing_changes() -> None:
    cell_line = scored_cell_line()
    assert cell_line.without_emptied is cell_line


def test_a_subset_has_the_scores_and_tiles_of_its_wells(with_emptied: ScoredCellLine) -> None:
    keep = np.array([w.well.startswith("B") for w in with_emptied.wells])
    part = with_emptied.subset(keep)
    assert [w.well[0] for w in part.wells] == ["B"] * 10
    np.testing.assert_array_equal(part.scores.on, with_emptied.scores.on[keep])
    for i in range(len(part.wells)):
        assert part.scores.tile_on[part.tiles.well == i].mean() == pytest.approx(part.scores.on[i])
    assert len(part.labels) == len(part.wells)


def test_status_is_that_of_the_fit(with_emptied: ScoredCellLine) -> None:
    assert with_emptied.control_status is with_emptied.scores.fit.control_status
    assert not with_emptied.in_sample
