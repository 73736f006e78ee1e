"""The error of the efficacy scale is that of the means of the control wells; stored anchors have none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.axes.efficacy import Efficacy
from gandl_analysis.pipeline.axes.scale_error import scale_errors
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_science.axis.anchors import AnchorSource

from tests.analysis.scored_cell_lines import scored_cell_line


@pytest.fixture(scope="module")
def cell_line() -> ScoredCellLine:
    return scored_cell_line()


def test_the_error_is_that_of_the_means_of_both_classes(cell_line: ScoredCellLine) -> None:
    error = scale_errors(Efficacy(cell_lines={"U2OS": cell_line}))["U2OS"]
    for side, variance in ((-1, error.negative), (1, error.positive)):
        wells = cell_line.scores.efficacy[cell_line.labels == side]
        assert variance == pytest.approx(np.std(wells, ddof=1) ** 2 / wells.size)


def test_stored_anchors_and_single_controls_have_no_error_that_is_known(cell_line: ScoredCellLine) -> None:
    stored = replace(cell_line, origin=cell_line.origin.model_copy(update={"anchors": AnchorSource.STORED}))
    assert scale_errors(Efficacy(cell_lines={"U2OS": stored})) == {}
    labels = cell_line.labels.copy()
    labels[np.flatnonzero(labels == 1)[1:]] = 0
    assert scale_errors(Efficacy(cell_lines={"U2OS": replace(cell_line, labels=labels)})) == {}
