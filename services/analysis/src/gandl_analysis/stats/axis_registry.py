"""Named axes: any two labelled groups of wells define one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AxisDefinition:
    """The axis `name` runs from wells whose `column` is in `negative` (None: anything that is not positive) to wells
    whose `column` is in `positive`. `within` names the column by whose values it is fitted separately (None: pooled).
    """

    name: str
    column: str
    positive: frozenset[str]
    negative: frozenset[str] | None = None
    within: str | None = None

    def labels(self, values: Sequence[str], among: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        """+1, -1 or 0 for each well [W] by its value of `column`; 0 for wells not `among` [W] those to use."""
        signs = np.array([self._sign(value) for value in values], np.intp)
        return signs if among is None else np.where(among, signs, 0)

    def _sign(self, value: str) -> int:
        if value in self.positive:
            return 1
        return -1 if self.negative is None or value in self.negative else 0


E2 = AxisDefinition("E2", "role", frozenset({"positive_control"}), frozenset({"negative_control"}), within="cell_line")
"""Efficacy: from the negative to the positive control, in each cell line by itself."""

E2_POOLED = AxisDefinition("E2-pooled", "role", E2.positive, E2.negative)
"""Efficacy over all cell lines at once, as in the paper."""


def class_axes(name: str, column: str, classes: Sequence[str]) -> tuple[AxisDefinition, ...]:
    """One axis between two classes (from the first to the second), or one against the rest for each of more.

    `C2` is `class_axes("C2", "cell_line", lines)`, used among the control wells. Fewer than two classes have no axis.
    """
    distinct = tuple(dict.fromkeys(classes))
    if len(distinct) < 2:
        return ()
    if len(distinct) == 2:
        return (AxisDefinition(name, column, frozenset({distinct[1]}), frozenset({distinct[0]})),)
    return tuple(AxisDefinition(f"{name}:{c}", column, frozenset({c})) for c in distinct)


@dataclass(frozen=True)
class AxisRegistry:
    """Axes by name. `with_axis` gives a registry with one more."""

    axes: Mapping[str, AxisDefinition] = field(default_factory=lambda: {E2.name: E2, E2_POOLED.name: E2_POOLED})

    def get(self, name: str) -> AxisDefinition:
        """Raises KeyError that lists the known names."""
        try:
            return self.axes[name]
        except KeyError:
            raise KeyError(f"no axis {name!r}; known are {', '.join(sorted(self.axes))}") from None

    def with_axis(self, axis: AxisDefinition) -> AxisRegistry:
        """Raises ValueError where the name is taken or a class is on both sides."""
        if axis.name in self.axes:
            raise ValueError(f"an axis {axis.name!r} is there already")
        if axis.negative is not None and axis.positive & axis.negative:
            raise ValueError(f"axis {axis.name!r} has {sorted(axis.positive & axis.negative)} on both sides")
        return AxisRegistry({**self.axes, axis.name: axis})


def standard_axes(cell_lines: Sequence[str]) -> AxisRegistry:
    """E2, E2-pooled, and C2 (or one C2:line for each of more than two cell lines)."""
    registry = AxisRegistry()
    for axis in class_axes("C2", "cell_line", cell_lines):
        registry = registry.with_axis(axis)
    return registry
