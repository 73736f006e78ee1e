"""Wells in E2 and C2 are scaled as in the paper, and missing compounds are named."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from gandl.paper.features import PUBLISHED
from gandl.paper.planes import HELD_OUT, check_compounds, figure3, figure4, plane_of
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.errors import BadInput
from gandl_shared.plates import Role

from tests.cli.paper.small import COMPOUNDS, DOSES

Analyses = Mapping[str, ScreenAnalysis]


@pytest.mark.parametrize("space", ["E2", "C2"])
def test_on_runs_from_minus_to_plus_one_and_off_has_a_mean_of_zero(analyses: Analyses, space: str) -> None:
    wells = plane_of(analyses[PUBLISHED], space).wells
    on, off = np.array([(well.on, well.off) for well in wells]).T
    assert (on.min(), on.max()) == (-1, 1)
    assert abs(off.mean()) < 1e-9


def test_positive_controls_are_on_the_right_and_negative_ones_on_the_left(analyses: Analyses) -> None:
    wells = plane_of(analyses[PUBLISHED], "E2").wells
    positive, negative = (
        [well.on for well in wells if well.well.role is role] for role in (Role.POSITIVE, Role.NEGATIVE)
    )
    assert min(positive) > max(negative)


def test_figure_3_has_controls_only_and_figure_4_the_doses_of_the_compounds(analyses: Analyses) -> None:
    three = figure3(analyses, HELD_OUT)
    assert len(three.rows) == 2 * 4 * 12
    four = figure4(analyses, COMPOUNDS[:1], HELD_OUT)
    assert {row[3] for row in four.rows} == set(DOSES)
    assert {row[1] for row in four.rows} == {COMPOUNDS[0]}


def test_the_axis_of_one_cell_line_is_called_so(analyses: Analyses) -> None:
    assert plane_of(analyses[PUBLISHED], "E2").axis == "E2"
    alone = tuple(axis for axis in analyses[PUBLISHED].axes if axis.name == "E2")
    page = figure3({PUBLISHED: analyses[PUBLISHED].model_copy(update={"axes": alone})}, HELD_OUT)
    assert {row[2] for row in page.rows} == {"E2, HRCE only"}
    assert [axes.get_title() for axes in page.figure.axes] == [
        "published embedding, E2, HRCE only",
        "published embedding, C2: no axis",
    ]


def test_a_compound_that_is_not_there_is_named_with_those_that_are(analyses: Analyses) -> None:
    check_compounds(COMPOUNDS, analyses[PUBLISHED])
    with pytest.raises(BadInput, match="no compound Aspirin; give --compound with names of its 2 compounds"):
        check_compounds(["Aspirin", COMPOUNDS[0]], analyses[PUBLISHED])


def test_one_colour_means_one_concentration_in_all_panels(analyses: Analyses) -> None:
    first, second = COMPOUNDS[:2]
    wells = [
        well.model_copy(update={"concentration_um": 100.0})
        if well.compound == second and well.concentration_um == max(DOSES)
        else well
        for well in analyses[PUBLISHED].wells
    ]
    page = figure4(
        {PUBLISHED: analyses[PUBLISHED].model_copy(update={"wells": tuple(wells)})}, [first, second], HELD_OUT
    )
    norms = [axes.collections[-1].norm for axes in page.figure.axes[:2]]
    assert {(norm.vmin, norm.vmax) for norm in norms} == {(min(DOSES), 100.0)}
