"""One score per well of the plate map, in its order, and null where there is no number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from gandl_analysis.pipeline.scores.wells import well_scores
from gandl_shared.plates import Role

from tests.analysis.scored_cell_lines import scored_cell_line
from tests.analysis.simulated_screens import Simulated


def test_every_well_has_one_score_in_the_order_of_the_plate_map() -> None:
    cell_line = scored_cell_line()
    wells = [*reversed(cell_line.wells), replace(cell_line.wells[0], well="H12", role=Role.EMPTY, compound=None)]
    scores = well_scores(wells, [cell_line], cell_line.tiles.image_qc)
    assert [s.well for s in scores] == [w.well for w in wells]
    assert [s.efficacy for s in scores[:-1]] == cell_line.scores.efficacy[::-1].tolist()
    assert (scores[-1].efficacy, scores[-1].n_tiles, scores[-1].role) == (None, 0, Role.EMPTY)


def test_numbers_that_json_does_not_have_are_null() -> None:
    cell_line = scored_cell_line()
    s = replace(cell_line.scores, off=np.full(40, np.nan), off_distance=np.full(40, np.inf))
    scores = well_scores(cell_line.wells, [replace(cell_line, scores=s)], cell_line.tiles.image_qc)
    assert {(score.off, score.off_distance) for score in scores} == {(None, None)}
    assert None not in {score.on for score in scores}


def test_an_emptied_well_says_why_it_has_no_score() -> None:
    cell_line = scored_cell_line(emptied=["A04"]).without_emptied
    scores = {s.well: s for s in well_scores(cell_line.wells, [cell_line], cell_line.tiles.image_qc)}
    assert (scores["A04"].efficacy, scores["A04"].excluded) == (None, "image QC: empty")
    assert scores["A04"].off_distance is not None
    assert scores["A05"].excluded is None


def test_metadata_stays_with_the_well() -> None:
    cell_line = scored_cell_line(Simulated(metadata={"A04": {"batch": "7"}}))
    scores = {s.well: s for s in well_scores(cell_line.wells, [cell_line], cell_line.tiles.image_qc)}
    assert (scores["A04"].metadata, scores["A05"].metadata) == ({"batch": "7"}, {})
