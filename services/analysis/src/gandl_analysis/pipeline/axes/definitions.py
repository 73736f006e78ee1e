"""Axes as the parameters of an analysis name them: groups of wells by columns of the plate map, and their problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gandl_science.axis.definition import AxisDefinition, Table, WellGroup
from gandl_shared.errors import Problem
from gandl_shared.plates import Well, plain_column
from gandl_shared.schemas.analysis import AxisChoice

MIN_WELLS = 2
"""The fewest wells of each group: with one, holding it out leaves nothing to train on."""
_DOSE = "concentration_um"


def well_table(wells: Sequence[Well]) -> Table:
    """Return the columns by which an axis may be defined: those of the plate map, with further ones by plain name.

    Concentrations are written in the shortest way (`10`, `0.5`).
    """
    further = dict.fromkeys(name for w in wells for name in w.metadata)
    # Our own columns come last, so that a further column of the same name does not replace them.
    return {
        **{plain_column(name): [w.metadata.get(name, "") for w in wells] for name in further},
        "plate": [w.plate for w in wells],
        "well": [w.well for w in wells],
        "role": [w.role.value for w in wells],
        "compound": [w.compound or "" for w in wells],
        _DOSE: ["" if w.concentration_um is None else f"{w.concentration_um:g}" for w in wells],
        "cell_line": [w.cell_line for w in wells],
    }


def axis_definition(choice: AxisChoice) -> AxisDefinition:
    """Return the definition of an axis that the parameters name."""
    return AxisDefinition(
        name=choice.name, positive=_group(choice.positive), negative=_group(choice.negative), within=choice.within
    )


def axis_problems(choices: Sequence[AxisChoice], wells: Sequence[Well]) -> list[Problem]:
    """Return why these axes cannot be fitted on the used `wells`, each problem with the field that it is about."""
    table = well_table(wells)
    problems: list[Problem] = []
    for i, choice in enumerate(choices):
        axis, field = axis_definition(choice), f"axes.{i}"
        of_groups = [
            *_group_problems(axis.positive, table, f"{field}.positive"),
            *_group_problems(axis.negative, table, f"{field}.negative"),
        ]
        if not of_groups and (axis.positive.members(table) & axis.negative.members(table)).any():
            problems.append(Problem(f"axis {axis.name} has wells on both sides; make the groups disjoint", field=field))
        problems += of_groups
    return problems


def _group(values_by_column: Mapping[str, Sequence[str]]) -> WellGroup:
    columns = {plain_column(name): values for name, values in values_by_column.items()}
    return WellGroup({n: frozenset(map(_dose, v)) if n == _DOSE else frozenset(v) for n, v in columns.items()})


def _dose(text: str) -> str:
    """Return a dose as the table has it: `10.0` and `1e1` are `10`."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def _group_problems(group: WellGroup, table: Table, field: str) -> list[Problem]:
    unknown = [name for name in group.columns if name not in table]
    if unknown:
        columns = f"the plate map has {', '.join(table)}"
        return [Problem(f"there is no column '{name}'; {columns}", field=f"{field}.{name}") for name in unknown]
    n = int(group.members(table).sum())
    if n >= MIN_WELLS:
        return []
    condition = ", ".join(f"{name} in {sorted(values)}" for name, values in group.columns.items())
    return [Problem(f"{n} wells have {condition}; an axis needs at least {MIN_WELLS} on each side", field=field)]
