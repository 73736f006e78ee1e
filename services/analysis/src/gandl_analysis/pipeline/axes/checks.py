"""Checks that a screen allows the axes of an analysis. They run before anything is embedded, and again before it."""

from __future__ import annotations

from collections.abc import Sequence

from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters

from gandl_analysis.pipeline.axes.definitions import MIN_WELLS, axis_problems
from gandl_analysis.pipeline.axes.stored_axes import check_earlier
from gandl_analysis.pipeline.inputs import EarlierAxes, Preparation


def check_axes(
    parameters: AnalysisParameters,
    wells: Sequence[Well],
    preparation: Preparation,
    earlier: EarlierAxes | None,
    *,
    field: str = "axis_from",
) -> None:
    """Raise Invalid if the axes that an analysis names or reuses do not suit the used `wells` of a screen.

    All problems are reported at once, each with its field and the fix. `field` names where `earlier` was given.
    """
    raise_if(axis_problems(parameters.axes, wells), Invalid, "the axes cannot be fitted")
    if earlier is None:
        return
    # In-sample scores of the paper and held-out scores of another screen cannot be compared.
    if parameters.preset == "paper":
        problem = Problem(f"preset paper fits its own axis; leave {field} out or the preset", field=field)
        raise_if([problem], Invalid, "the axes cannot be used")
    cell_lines = list(dict.fromkeys(w.cell_line for w in wells))
    check_earlier(earlier, preparation, cell_lines, field=field)


def check_controls(wells: Sequence[Well], summary: str = "the plate map has too few controls") -> None:
    """Raise Invalid, with one problem per cell line and role, where a single control well cannot be held out.

    `summary` is the sentence before the problems.
    """
    problems = []
    for cell_line in dict.fromkeys(w.cell_line for w in wells):
        for role in (Role.POSITIVE, Role.NEGATIVE):
            controls = [w for w in wells if w.cell_line == cell_line and w.role is role]
            if len(controls) < MIN_WELLS:
                detail = (
                    f"{len(controls)} {role.value} well for cell line {cell_line}; holding one out needs at least two"
                )
                problems.append(Problem(detail, row=controls[0].table_row if controls else None, field="role"))
    raise_if(problems, Invalid, summary)
