"""The points of the scatter: one per well, at two quantities of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.axis.plate_normalisation import principal_components
from gandl_shared.schemas.screen import WellScore
from gandl_shared.store import Profiles

from gandl_analysis.figures.marks import well_title
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.quantities import Quantity, Scale, Value, WellKey, quantities

COMPONENT = "component:"
N_COMPONENTS = 3
AXIS = "axis:"
MAX_GROUPS = 9


@dataclass(frozen=True, kw_only=True)
class ScatterPoint:
    """A well at its position; `group` is the number of its colour."""

    well: WellScore
    x: float
    y: float
    group: int

    @property
    def record(self) -> list[object]:
        """The point as the page's script reads it."""
        dose = self.well.concentration_um
        numbers = [rounded(self.x), rounded(self.y)]
        return [
            self.well.plate,
            self.well.well,
            *numbers,
            self.group,
            self.well.compound or "",
            dose,
            well_title(self.well),
        ]


@dataclass(frozen=True, kw_only=True)
class ScatterView:
    """All points, the names of their groups, and how many wells have no position."""

    points: tuple[ScatterPoint, ...]
    groups: tuple[str, ...]
    n_without: int


def positions(analysis: ScreenAnalysis) -> Sequence[tuple[str, str]]:
    """Return the names and labels of the quantities that can be an axis of the scatter."""
    own = [(q.name, q.label) for q in quantities(analysis) if q.scale is not Scale.CATEGORY]
    off = [("off", "beside the efficacy axis (E2)")] if any(well.off is not None for well in analysis.wells) else []
    axes = [(f"{AXIS}{name}", f"axis {name}") for name in _axis_names(analysis)]
    components = [(f"{COMPONENT}{k}", f"principal component {k}") for k in range(1, N_COMPONENTS + 1)]
    return [*own[:1], *off, *axes, *own[1:], *components]


def axis_position(analysis: ScreenAnalysis, name: str) -> Mapping[WellKey, Value]:
    """Return the positions of wells along a fitted axis, -1 and +1 at the means of its groups, or beside E2 (`off`)."""
    if name == "off":
        return {(well.plate, well.well): well.off for well in analysis.wells}
    values: dict[WellKey, Value] = {}
    for axis in analysis.axes:
        if axis.hash and axis.name == name.removeprefix(AXIS):
            for index, scaled in zip(axis.wells, axis.scaled, strict=True):
                values[analysis.wells[index].plate, analysis.wells[index].well] = scaled
    return values


def _axis_names(analysis: ScreenAnalysis) -> Sequence[str]:
    return [name for name in dict.fromkeys(axis.name for axis in analysis.axes if axis.hash) if name != "E2"]


def component_positions(profiles: Profiles, name: str) -> Mapping[WellKey, Value]:
    """Return the scores of wells on a principal component of the means of their vectors, over the whole screen."""
    keys = list(zip(profiles.plates, profiles.wells, strict=True))
    codes: dict[WellKey, int] = {}
    well = np.array([codes.setdefault(key, len(codes)) for key in keys])
    counts = np.bincount(well)
    means = np.zeros((len(codes), profiles.vectors.shape[1]), np.float64)
    np.add.at(means, well, profiles.vectors)
    scores = principal_components((means / counts[:, None]).astype(np.float32), N_COMPONENTS)
    number = int(name.removeprefix(COMPONENT)) - 1
    if number >= scores.shape[1]:
        return {}
    return dict(zip(codes, scores[:, number].astype(float).tolist(), strict=True))


def scatter_view(
    analysis: ScreenAnalysis, x: Mapping[WellKey, Value], y: Mapping[WellKey, Value], colour: Quantity
) -> ScatterView:
    """Return the points of all wells that have both positions. Beyond MAX_GROUPS texts, the last colour is `other`."""
    groups, group_of = colour_groups(colour)
    points, n_without = [], 0
    for well in analysis.wells:
        key = (well.plate, well.well)
        across, up = x.get(key), y.get(key)
        if not isinstance(across, float) or not isinstance(up, float):
            n_without += 1
            continue
        points.append(ScatterPoint(well=well, x=across, y=up, group=group_of(key)))
    return ScatterView(points=tuple(points), groups=groups, n_without=n_without)


def colour_groups(colour: Quantity) -> tuple[tuple[str, ...], Callable[[WellKey], int]]:
    """Return the texts that have a colour, and the number of the text of a well."""
    names = colour.categories
    groups = names if len(names) <= MAX_GROUPS else (*names[: MAX_GROUPS - 1], "other")
    numbers = {name: number for number, name in enumerate(groups)}
    return groups, lambda key: numbers.get(str(colour.values.get(key)), len(groups) - 1)


def rounded(value: float) -> float:
    """Return a coordinate with the digits that a screen can show."""
    return float(f"{value:.5g}")
