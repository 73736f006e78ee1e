"""Which controls set the limit beyond which a well is toxic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.axes.off_axis_limit import limit_of_cell_line, limit_of_fit
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_science.arrays import Float
from gandl_science.axis.provenance import ControlStatus

from tests.analysis.scored_cell_lines import scored_cell_line

STORED = 9.0


@pytest.fixture(scope="module")
def cell_line() -> ScoredCellLine:
    return scored_cell_line()


def with_distances(cell_line: ScoredCellLine, distances: Float) -> ScoredCellLine:
    return replace(cell_line, scores=replace(cell_line.scores, off_distance=distances))


def with_status(cell_line: ScoredCellLine, status: ControlStatus) -> ScoredCellLine:
    fit = replace(cell_line.scores.fit, held_out=None, control_status=status)
    return replace(cell_line, scores=replace(cell_line.scores, fit=fit))


def test_held_out_controls_set_it_by_median_and_three_robust_deviations(cell_line: ScoredCellLine) -> None:
    """Half the controls at 1 and half at 3, treatments at 100: median 2, MAD 1."""
    controls = np.cumsum(cell_line.labels != 0)
    distances = np.where(cell_line.labels == 0, 100.0, np.where(controls % 2 == 0, 1.0, 3.0))
    assert limit_of_cell_line(with_distances(cell_line, distances)) == pytest.approx(2 + 3 * 1.4826)
    assert limit_of_fit(replace(cell_line.scores, off_distance=distances), cell_line.labels) == pytest.approx(6.4478)


def test_in_sample_controls_do_not_set_it(cell_line: ScoredCellLine) -> None:
    assert limit_of_cell_line(with_status(cell_line, ControlStatus.IN_SAMPLE)) == STORED
    assert limit_of_cell_line(with_status(cell_line, ControlStatus.UNSEEN)) != STORED


def test_with_too_few_controls_the_stored_limit_is_used(cell_line: ScoredCellLine) -> None:
    three = np.where(np.cumsum(cell_line.labels != 0) <= 3, 1.0, np.nan)
    assert limit_of_cell_line(with_distances(cell_line, np.where(cell_line.labels != 0, three, np.nan))) == STORED


@pytest.mark.parametrize("stored", [None, np.inf, np.nan])
def test_without_any_limit_there_is_none(cell_line: ScoredCellLine, stored: float | None) -> None:
    provenance = cell_line.stored_fit.provenance
    assert provenance is not None
    fit = replace(cell_line.stored_fit, provenance=replace(provenance, off_axis_limit=stored))
    bare = replace(with_distances(cell_line, np.full(len(cell_line.labels), np.nan)), stored_fit=fit)
    assert limit_of_cell_line(bare) is None


def test_an_emptied_control_counts_for_the_screen_but_not_for_the_stored_axis() -> None:
    cell_line = scored_cell_line(emptied=["A01"]).without_emptied
    far = np.where([w.well == "A01" for w in cell_line.wells], 1000.0, np.arange(len(cell_line.wells)) % 5 + 1.0)
    with_far = with_distances(cell_line, far)
    counted = limit_of_cell_line(with_far)
    stored = limit_of_fit(with_far.scores, cell_line.labels)
    without = limit_of_fit(replace(with_far.scores, off_distance=np.where(far > 100, np.nan, far)), cell_line.labels)
    assert stored == without
    assert counted is not None
