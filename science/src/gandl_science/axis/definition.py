"""Definitions of named axes: any two labelled groups of wells define one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gandl_science.arrays import Index, Mask

Table = Mapping[str, Sequence[str]]
"""Columns by name, with one value per well [W]."""


@dataclass(frozen=True)
class WellGroup:
    """The wells that have, in every column named, one of the values given for it."""

    columns: Mapping[str, frozenset[str]]

    def members(self, table: Table) -> Mask:
        """Return which wells [W] belong to the group. Raises KeyError for a column that the table does not have."""
        columns = [np.array([value in values for value in table[name]], bool) for name, values in self.columns.items()]
        members: Mask = np.all(columns, axis=0)
        return members


def group(**columns: str | Iterable[str]) -> WellGroup:
    """Return a group by keywords, for example `group(role="treatment", compound=["A", "B"])`."""
    return WellGroup({n: frozenset([v] if isinstance(v, str) else v) for n, v in columns.items()})


class AxisKind(StrEnum):
    """What the two groups of an axis are. It decides on which vectors the axis is fitted."""

    EFFICACY = "efficacy"
    """Positive against negative controls."""
    CELL_LINES = "cell_lines"
    """Control wells of one cell line against those of others."""
    GROUPS = "groups"
    """Any other two groups of wells."""

    @property
    def on_raw_vectors(self) -> bool:
        """True if vectors must not be normalised by plate. Doing so takes away what distinguishes cell lines."""
        return self is AxisKind.CELL_LINES


@dataclass(frozen=True, kw_only=True)
class AxisDefinition:
    """The axis `name` from the wells of `negative` to those of `positive`.

    If `within` names a column, the axis is fitted for each of its values separately; otherwise once over all wells.
    """

    name: str
    positive: WellGroup
    negative: WellGroup
    kind: AxisKind = AxisKind.GROUPS
    within: str | None = None

    def labels(self, table: Table) -> Index:
        """Return +1, -1 or 0 for each well [W].

        Raises ValueError where a well is on both sides, and KeyError for a column that the table does not have.
        """
        positive, negative = self.positive.members(table), self.negative.members(table)
        if (positive & negative).any():
            raise ValueError(f"axis {self.name} has {int((positive & negative).sum())} wells on both sides")
        return positive.astype(np.intp) - negative.astype(np.intp)


CONTROLS = ("positive_control", "negative_control")

E2 = AxisDefinition(
    name="E2",
    positive=group(role=CONTROLS[0]),
    negative=group(role=CONTROLS[1]),
    kind=AxisKind.EFFICACY,
    within="cell_line",
)
"""The efficacy axis: from the negative to the positive control, in each cell line separately."""

E2_POOLED = AxisDefinition(name="E2-pooled", positive=E2.positive, negative=E2.negative, kind=AxisKind.EFFICACY)
"""The efficacy axis over all cell lines at once."""

E2_PAPER = AxisDefinition(name="E2-paper", positive=E2.positive, negative=E2.negative, kind=AxisKind.EFFICACY)
"""The efficacy axis over all cell lines that the preset `paper` fits in-sample."""


def cell_line_axes(cell_lines: Sequence[str]) -> tuple[AxisDefinition, ...]:
    """Return the axes C2 between the cell lines: from the first to the second of two, one against the rest of more.

    A single cell line has none. The groups are controls of both kinds, as a compound may change what distinguishes the
    cell lines.
    """
    distinct = tuple(dict.fromkeys(cell_lines))
    if len(distinct) < 2:
        return ()
    # With two cell lines, an axis of the second against the rest would be the first one turned round.
    if len(distinct) == 2:
        first, second = ([cell_line] for cell_line in distinct)
        return (_cell_line_axis("C2", second, first),)
    return tuple(_cell_line_axis(f"C2:{one}", [one], [c for c in distinct if c != one]) for one in distinct)


def standard_axes(cell_lines: Sequence[str]) -> tuple[AxisDefinition, ...]:
    """Return the axes of every screen: E2, and where there are several cell lines E2-pooled and C2 too."""
    between = cell_line_axes(cell_lines)
    return (E2, E2_POOLED, *between) if between else (E2,)


def _cell_line_axis(name: str, positive: Sequence[str], negative: Sequence[str]) -> AxisDefinition:
    return AxisDefinition(
        name=name,
        positive=group(cell_line=positive, role=CONTROLS),
        negative=group(cell_line=negative, role=CONTROLS),
        kind=AxisKind.CELL_LINES,
    )
