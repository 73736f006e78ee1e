"""Named axes: any two labelled groups of wells define one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = Mapping[str, Sequence[str]]
"""Columns by name, a value for each well [W]."""


@dataclass(frozen=True)
class WellGroup:
    """The wells that hold, in every column named, one of the values given for it."""

    columns: Mapping[str, frozenset[str]]

    def members(self, table: Table) -> NDArray[np.bool_]:
        """Which wells [W] belong to it. Raises KeyError for a column that the table does not have."""
        columns = [np.array([value in values for value in table[name]], bool) for name, values in self.columns.items()]
        found: NDArray[np.bool_] = np.all(columns, axis=0)
        return found


def group(**columns: str | Iterable[str]) -> WellGroup:
    """`group(role="treatment", compound=["A", "B"])`."""
    return WellGroup({n: frozenset([v] if isinstance(v, str) else v) for n, v in columns.items()})


@dataclass(frozen=True)
class AxisDefinition:
    """The axis `name` runs from the wells of `negative` to those of `positive`. `within` names the column by whose
    values it is fitted separately (None: over all wells at once)."""

    name: str
    positive: WellGroup
    negative: WellGroup
    within: str | None = None

    def labels(self, table: Table) -> NDArray[np.intp]:
        """+1, -1 or 0 for each well [W]. Raises ValueError where a well is on both sides, KeyError as `members`."""
        positive, negative = self.positive.members(table), self.negative.members(table)
        if (positive & negative).any():
            raise ValueError(f"axis {self.name} has {int((positive & negative).sum())} wells on both sides")
        return positive.astype(np.intp) - negative.astype(np.intp)


CONTROLS = ("positive_control", "negative_control")

E2 = AxisDefinition("E2", group(role=CONTROLS[0]), group(role=CONTROLS[1]), within="cell_line")
"""Efficacy: from the negative to the positive control, in each cell line by itself."""

E2_POOLED = AxisDefinition("E2-pooled", E2.positive, E2.negative)
"""Efficacy over all cell lines at once."""


def class_axes(name: str, column: str, classes: Sequence[str]) -> tuple[AxisDefinition, ...]:
    """Axes between classes of control wells: one for two classes (from the first to the second), or one against the
    rest for each of more. Fewer than two classes have no axis.

    `C2` is `class_axes("C2", "cell_line", lines)`. Controls of both kinds, as a compound may change what tells classes
    apart.
    """
    distinct = tuple(dict.fromkeys(classes))
    chosen = {c: WellGroup({column: frozenset({c}), "role": frozenset(CONTROLS)}) for c in distinct}
    if len(distinct) == 2:
        return (AxisDefinition(name, chosen[distinct[1]], chosen[distinct[0]]),)
    rest = {c: WellGroup({column: frozenset(distinct) - {c}, "role": frozenset(CONTROLS)}) for c in distinct}
    return tuple(AxisDefinition(f"{name}:{c}", chosen[c], rest[c]) for c in distinct if len(distinct) > 1)


def standard_axes(cell_lines: Sequence[str]) -> tuple[AxisDefinition, ...]:
    """E2, and where there are several cell lines E2-pooled and C2 (or one C2:line for each of more than two)."""
    between = class_axes("C2", "cell_line", cell_lines)
    return (E2, E2_POOLED, *between) if between else (E2,)
