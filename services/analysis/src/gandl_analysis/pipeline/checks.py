"""Groups of wells by the columns of the plate map, and whether the axes that are asked for can be had of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gandl_science.axis.definition import AxisDefinition, Table, WellGroup
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.plates import Role, Well, plain_column
from gandl_shared.schemas.analysis import AnalysisParameters, AxisChoice

from gandl_analysis.pipeline.axes.stored_axes import EarlierAxes, Preparation, check_earlier

FEWEST = 2
"""Wells of a side, below which there is no axis."""
_DOSE = "concentration_um"


def check_axes(
    parameters: AnalysisParameters,
    wells: Sequence[Well],
    made: Preparation,
    earlier: EarlierAxes | None,
    *,
    field: str = "axis_from",
) -> None:
    """Refuse what the used wells of a screen cannot be asked. Raises Invalid naming every field and its fix; `field` is
    what the earlier axes were given by."""
    raise_if(axis_problems(parameters.axes, wells), Invalid, "the axes cannot be fitted")
    if earlier is not None and parameters.preset == "paper":
        problem = Problem(f"preset paper fits its own axis; leave {field} out or the preset", field=field)
        raise_if([problem], Invalid, "the axes cannot be used")
    if earlier is not None:
        check_earlier(earlier, made, list(dict.fromkeys(w.cell_line for w in wells)), field=field)


def check_controls(wells: Sequence[Well]) -> None:
    """Refuse cell lines with a single control well of a kind before anything is embedded: nothing could be held out.

    Raises Invalid with a problem for each.
    """
    problems = []
    for line in dict.fromkeys(w.cell_line for w in wells):
        for role in (Role.POSITIVE, Role.NEGATIVE):
            found = [w for w in wells if w.cell_line == line and w.role is role]
            if len(found) < FEWEST:
                detail = f"{len(found)} {role.value} well for cell line {line}; holding one out needs at least two"
                problems.append(Problem(detail, row=found[0].table_row if found else None, field="role"))
    raise_if(problems, Invalid, "the plate map has too few controls")


def axis_problems(choices: Sequence[AxisChoice], wells: Sequence[Well]) -> list[Problem]:
    """Why the axes asked for cannot be had of these wells (the used ones), each with the field it is about."""
    table = well_table(wells)
    problems: list[Problem] = []
    for i, choice in enumerate(choices):
        axis = definition(choice)
        found: list[Problem] = []
        for side, group in (("positive", axis.positive), ("negative", axis.negative)):
            found += _group_problems(group, table, f"axes.{i}.{side}")
        if not found and (axis.positive.members(table) & axis.negative.members(table)).any():
            found = [
                Problem(f"axis {choice.name} has wells on both sides; make the groups disjoint", field=f"axes.{i}")
            ]
        problems += found
    return problems


def well_table(wells: Sequence[Well]) -> Table:
    """The columns that an axis may be defined by: those of the plate map, and its further ones without pycytominer's
    prefix. Concentrations are written the shortest way (`10`, `0.5`)."""
    extra = dict.fromkeys(name for w in wells for name in w.metadata)
    return {
        **{plain_column(name): [w.metadata.get(name, "") for w in wells] for name in extra},
        "plate": [w.plate for w in wells],
        "well": [w.well for w in wells],
        "role": [w.role.value for w in wells],
        "compound": [w.compound or "" for w in wells],
        _DOSE: ["" if w.concentration_um is None else f"{w.concentration_um:g}" for w in wells],
        "cell_line": [w.cell_line for w in wells],
    }


def definition(choice: AxisChoice) -> AxisDefinition:
    """The axis that was asked for."""
    return AxisDefinition(choice.name, _group(choice.positive), _group(choice.negative), choice.within)


def _group(chosen: Mapping[str, Sequence[str]]) -> WellGroup:
    columns = {plain_column(name): values for name, values in chosen.items()}
    return WellGroup({n: frozenset(map(_dose, v)) if n == _DOSE else frozenset(v) for n, v in columns.items()})


def _dose(text: str) -> str:
    """`10.0` and `1e1` mean the dose that is written `10`."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def _group_problems(group: WellGroup, table: Table, field: str) -> list[Problem]:
    unknown = [name for name in group.columns if name not in table]
    if unknown:
        known = f"the plate map has {', '.join(table)}"
        return [Problem(f"there is no column '{name}'; {known}", field=f"{field}.{name}") for name in unknown]
    n = int(group.members(table).sum())
    if n >= FEWEST:
        return []
    asked = ", ".join(f"{name} in {sorted(values)}" for name, values in group.columns.items())
    return [Problem(f"{n} wells have {asked}; an axis needs at least {FEWEST} on each side", field=field)]
