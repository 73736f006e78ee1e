"""The axes of an analysis with their wells as points, as the route of axes answers them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from gandl_shared.errors import NotFound
from gandl_shared.schemas.answers import Axis, AxisPoint, ScreenAxes
from gandl_shared.schemas.screen import WellScore

from gandl_analysis.pipeline.result import AxisScores, ScreenAnalysis

_SIDES: dict[int, Literal["positive", "negative"]] = {1: "positive", -1: "negative"}


def screen_axes(screen: str, version: int, analysis: ScreenAnalysis, names: Collection[str] = ()) -> ScreenAxes:
    """Return the axes of an analysis, or only those of `names`. Raises NotFound for a name that none of them has."""
    # An axis of one name exists once per cell line; the message names it once.
    existing = list(dict.fromkeys(axis.name for axis in analysis.axes))
    for name in names:
        if name not in existing:
            raise NotFound(f"there is no axis '{name}'; this analysis has {', '.join(existing)}")
    axes = tuple(_axis(axis, analysis.wells) for axis in analysis.axes if not names or axis.name in names)
    return ScreenAxes(screen=screen, version=version, axis_hash=analysis.provenance.axis_hash, axes=axes)


def _axis(scores: AxisScores, wells: Sequence[WellScore]) -> Axis:
    # AxisScores has the arrays of all wells, the answer has one point per well; all other fields are the same.
    fields = {name: getattr(scores, name) for name in Axis.model_fields if name != "points"}
    columns = (scores.wells, scores.side, scores.on, scores.scaled, scores.off, scores.off_distance)
    points = tuple(_point(wells[i], *values) for i, *values in zip(*columns, strict=True))
    return Axis(**fields, points=points)


def _point(
    well: WellScore, side: int, on: float, scaled: float | None, off: float | None, off_distance: float | None
) -> AxisPoint:
    return AxisPoint(
        plate=well.plate,
        well=well.well,
        role=well.role,
        compound=well.compound,
        concentration_um=well.concentration_um,
        cell_line=well.cell_line,
        side=_SIDES.get(side),
        on=on,
        scaled=scaled,
        off=off,
        off_distance=off_distance,
    )
