"""Axes and controls that a screen does not allow are refused before anything is embedded, all problems at once."""

from __future__ import annotations

import pytest
from gandl_analysis.pipeline.axes.checks import check_axes, check_controls
from gandl_analysis.pipeline.inputs import EarlierAxes
from gandl_shared.errors import Invalid
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters, AxisChoice

from tests.analysis.simulated_screens import Simulated

NO_AXES = EarlierAxes((), "the first screen")


def test_a_screen_with_controls_is_accepted() -> None:
    screen = Simulated().screen()
    check_controls(screen.used_wells)
    check_axes(screen.parameters, screen.used_wells, screen.preparation, None)


def test_single_controls_are_refused_with_the_row_of_the_plate_map() -> None:
    wells = [w for w in Simulated().wells() if w.role is Role.TREATMENT or w.well == "A01"]
    with pytest.raises(Invalid) as error:
        check_controls(wells)
    one, none = error.value.problems
    assert (one.detail, one.row) == (
        "1 positive_control well for cell line U2OS; holding one out needs at least two",
        2,
    )
    assert (none.detail[:36], none.row) == ("0 negative_control well for cell lin", None)


def test_every_axis_with_a_problem_is_named() -> None:
    vehicle = {"role": ("negative_control",)}
    choices = tuple(AxisChoice(name=n, positive={"compound": (n,)}, negative=vehicle) for n in ("Y", "X", "Z"))
    screen = Simulated().screen(AnalysisParameters(axes=choices))
    with pytest.raises(Invalid) as error:
        check_axes(screen.parameters, screen.used_wells, screen.preparation, None)
    assert [p.field for p in error.value.problems] == ["axes.0.positive", "axes.2.positive"]


@pytest.mark.parametrize("field", ["axis_from", "axis"])
def test_the_preset_of_the_paper_takes_no_earlier_axes(field: str) -> None:
    screen = Simulated().screen(AnalysisParameters(preset="paper"))
    with pytest.raises(Invalid, match="cannot be used") as error:
        check_axes(screen.parameters, screen.used_wells, screen.preparation, NO_AXES, field=field)
    assert error.value.problems[0].field == field
    assert f"leave {field} out" in error.value.problems[0].detail


def test_earlier_axes_must_have_every_cell_line() -> None:
    screen = Simulated(lines=("HRCE", "VERO")).screen()
    with pytest.raises(Invalid) as error:
        check_axes(screen.parameters, screen.used_wells, screen.preparation, NO_AXES)
    details = [p.detail for p in error.value.problems]
    assert details == [f"no axis E2 for cell line {c}; it has no efficacy axis at all" for c in ("HRCE", "VERO")]
