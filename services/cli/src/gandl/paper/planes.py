"""Figures 3 and 4: wells in the planes E2 and C2, scaled as in the paper, and compounds by concentration in E2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_analysis.figures.style import FONT_SIZE, LINE, style_axes
from gandl_analysis.figures.texts import plain
from gandl_analysis.pipeline.result import AxisScores, ScreenAnalysis
from gandl_science.arrays import Float
from gandl_science.axis.paper import min_max
from gandl_shared.errors import BadInput
from gandl_shared.plates import Role
from gandl_shared.schemas.screen import WellScore
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from gandl.paper.pages import Cell, Page

IN_SAMPLE, HELD_OUT = "as in the paper (in-sample)", "controls held out"
_E2 = ("E2-paper", "E2-pooled", "E2")
_PLANES: Mapping[str, Sequence[str]] = {"E2": _E2, "C2": ("C2",)}
_COLOURS: Mapping[Role, Sequence[str]] = {
    Role.POSITIVE: ("#1f77b4", "#ff7f0e", "#17becf", "#bcbd22"),
    Role.NEGATIVE: ("#2ca02c", "#d62728", "#9467bd", "#8c564b"),
}
"""The colours of the controls by cell line; those of the first two lines are the paper's."""
_EDGE = "#601010"
HEADER_3 = ("features", "space", "axis", "plate", "well", "cell_line", "role", "on_min_max", "off_centred")
HEADER_4 = ("features", "compound", "cell_line", "concentration_um", "plate", "well", "on_min_max", "off_centred")


@dataclass(frozen=True, kw_only=True)
class PlaneWell:
    """A well in a plane: On from -1 to +1 over all wells, Off with a mean of zero."""

    well: WellScore
    on: float
    off: float


@dataclass(frozen=True, kw_only=True)
class Plane:
    """The wells of a plane, and the axis that they lie on: its name, and its cell line if it is that of one only."""

    axis: str
    wells: Sequence[PlaneWell]


def plane_of(analysis: ScreenAnalysis, space: str) -> Plane:
    """Return the plane E2 or C2, scaled by min-max and centred as in the paper; without wells if there is no axis.

    Where no axis was fitted to all cell lines, E2 is that of the first one, which its name says.
    """
    axes = {axis.name: axis for axis in reversed(analysis.axes)}
    axis = next((axes[name] for name in _PLANES[space] if name in axes and axes[name].on), None)
    if axis is None:
        return Plane(axis=f"{space}: no axis", wells=())
    name = f"{space}, {axis.cell_line} only" if axis.cell_line else space
    return Plane(axis=name, wells=_scaled_wells(analysis, axis))


def _scaled_wells(analysis: ScreenAnalysis, axis: AxisScores) -> list[PlaneWell]:
    rows = [
        (analysis.wells[i], on, off)
        for i, on, off in zip(axis.wells, axis.on, axis.off, strict=True)
        if on is not None and off is not None
    ]
    on, off = (np.array([row[column] for row in rows], np.float64) for column in (1, 2))
    scaled: tuple[Float, Float] = (min_max(on), off - off.mean())
    return [PlaneWell(well=row[0], on=float(x), off=float(y)) for row, x, y in zip(rows, *scaled, strict=True)]


def figure3(analyses: Mapping[str, ScreenAnalysis], way: str) -> Page:
    """Return the page of Figure 3: control wells of each cell line in E2 and C2, one column per features."""
    figure = Figure(figsize=(1.2 + 3.3 * len(analyses), 6.4))
    panels = figure.subplots(2, len(analyses), squeeze=False)
    rows: list[Sequence[Cell]] = []
    for column, (name, analysis) in enumerate(analyses.items()):
        for panel, space in zip(panels[:, column], _PLANES, strict=True):
            plane = plane_of(analysis, space)
            wells = [w for w in plane.wells if w.well.role in (Role.POSITIVE, Role.NEGATIVE)]
            _draw_controls(panel, wells)
            panel.set_title(plain(f"{name}, {plane.axis}"), fontsize=FONT_SIZE)
            rows += [_row3(name, space, plane.axis, well) for well in wells]
    panels[0, 0].legend(frameon=False, fontsize=FONT_SIZE - 2.5, markerscale=1.5)
    caption = f"Figure 3: control wells, {way}; On scaled from -1 to 1, Off centred"
    return Page(figure=figure, caption=caption, header=HEADER_3, rows=rows)


def figure4(analyses: Mapping[str, ScreenAnalysis], compounds: Sequence[str], way: str) -> Page:
    """Return the page of Figure 4: wells of named compounds in E2, coloured by concentration, over the controls."""
    figure = Figure(figsize=(1.4 + 2.9 * len(compounds), 0.9 + 2.7 * len(analyses)))
    panels = figure.subplots(len(analyses), len(compounds), squeeze=False)
    rows: list[Sequence[Cell]] = []
    planes = {name: plane_of(analysis, "E2") for name, analysis in analyses.items()}
    # All panels have one colour bar, so they have one scale.
    norm = _dose_norm([w for plane in planes.values() for w in plane.wells if w.well.compound in compounds])
    for line, (name, plane) in zip(panels, planes.items(), strict=True):
        for panel, compound in zip(line, compounds, strict=True):
            members = [w for w in plane.wells if w.well.compound == compound and w.well.concentration_um]
            drawing = _draw_doses(panel, plane.wells, members, norm)
            panel.set_title(plain(f"{compound}, {name}"), fontsize=FONT_SIZE - 1)
            rows += [_row4(name, well) for well in members]
        figure.colorbar(drawing, ax=line.tolist(), label="concentration, µM", fraction=0.03, pad=0.015)
    names = ", ".join(dict.fromkeys(plane.axis for plane in planes.values()))
    lines = "" if names == "E2" else f" ({names})"
    caption = f"Figure 4: E2 by concentration{lines}, {way}; grey: positive (light) and negative controls"
    return Page(figure=figure, caption=caption, header=HEADER_4, rows=rows)


def check_compounds(compounds: Sequence[str], analysis: ScreenAnalysis) -> None:
    """Raise BadInput naming the compounds that the screen does not have, with some that it has."""
    present = sorted({curve.compound for curve in analysis.curves})
    missing = [name for name in compounds if name not in present]
    if missing or not compounds:
        subject = f"the screen has no compound {', '.join(missing)}" if missing else "no compound is named"
        examples = ", ".join(present[:8])
        raise BadInput(f"{subject}; give --compound with names of its {len(present)} compounds, such as {examples}")


def _draw_controls(axes: Axes, wells: Sequence[PlaneWell]) -> None:
    style_axes(axes, grid="both")
    lines = sorted({w.well.cell_line for w in wells})
    groups = [(role, i) for role in _COLOURS for i in range(len(lines))]
    for role, i in groups:
        line, colour = lines[i], _COLOURS[role][i % len(_COLOURS[role])]
        members = [w for w in wells if (w.well.role, w.well.cell_line) == (role, line)]
        label = plain(f"{'C+' if role is Role.POSITIVE else 'C−'} {line}")
        x, y = [w.on for w in members], [w.off for w in members]
        axes.scatter(x, y, s=7, color=colour, alpha=0.65, linewidth=0, label=label, rasterized=True)
    _name_axes(axes)


def _dose_norm(wells: Sequence[PlaneWell]) -> LogNorm:
    doses = [w.well.concentration_um for w in wells if w.well.concentration_um]
    return LogNorm(min(doses, default=0.1), max(doses, default=10.0))


def _draw_doses(axes: Axes, wells: Sequence[PlaneWell], members: Sequence[PlaneWell], norm: LogNorm) -> PathCollection:
    style_axes(axes, grid="both")
    for role, colour in ((Role.POSITIVE, LINE), (Role.NEGATIVE, "#9aa0a8")):
        controls = [w for w in wells if w.well.role is role]
        axes.scatter(
            [w.on for w in controls], [w.off for w in controls], s=4, color=colour, linewidth=0, rasterized=True
        )
    doses = [w.well.concentration_um or 1.0 for w in members]
    axes.axvline(0, color=LINE, linewidth=0.8)
    _name_axes(axes)
    x, y = [w.on for w in members], [w.off for w in members]
    return axes.scatter(x, y, s=15, c=doses, cmap="Reds", norm=norm, edgecolor=_EDGE, linewidth=0.3, rasterized=True)


def _name_axes(axes: Axes) -> None:
    axes.set_xlabel("On-perturbation")
    axes.set_ylabel("Off-perturbation")
    axes.xaxis.set_major_locator(MultipleLocator(0.5))


def _row3(features: str, space: str, axis: str, point: PlaneWell) -> Sequence[Cell]:
    well = point.well
    return features, space, axis, well.plate, well.well, well.cell_line, str(well.role), point.on, point.off


def _row4(features: str, point: PlaneWell) -> Sequence[Cell]:
    well = point.well
    dose = well.concentration_um
    return features, well.compound, well.cell_line, dose, well.plate, well.well, point.on, point.off
