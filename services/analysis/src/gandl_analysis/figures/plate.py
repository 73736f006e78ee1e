"""A plate as it is on the bench: one disc per well, coloured by efficacy and marked by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gandl_shared.plates.well_names import parse_well, row_letters
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Role
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.lines import Line2D

from gandl_analysis.figures.marks import legend_mark, well_title
from gandl_analysis.figures.style import (
    FONT_SIZE,
    INK,
    LINE,
    MUTED,
    contrasting,
    efficacy_colour,
    new_figure,
    style_axes,
)
from gandl_analysis.figures.svg import Drawing

FORMATS = ((8, 12), (16, 24), (32, 48))
"""Rows and columns of the standard plates: 96, 384 and 1536 wells (ANSI SLAS 4-2004)."""
_ROLE_MARKERS: Mapping[Role, str] = {Role.POSITIVE: "+", Role.NEGATIVE: "_"}
_LEGEND_SCORES = ((-1.0, "−1"), (0.0, "0"), (1.0, "+1"))


def plate_format(wells: Sequence[WellScore]) -> tuple[int, int]:
    """Return rows and columns of the smallest standard plate that has all these wells. Raises ValueError for a name
    that is no well."""
    rows, columns = (max(numbers) for numbers in zip(*(parse_well(well.well) for well in wells), strict=True))
    fitting = [shape for shape in FORMATS if shape[0] >= rows and shape[1] >= columns]
    return fitting[0] if fitting else (rows, columns)


def plate_heatmap(wells: Sequence[WellScore], plate: str) -> Drawing:
    """Draw the efficacies of one plate. Wells without a score are crossed out, and empty wells are rings."""
    members = [well for well in wells if well.plate == plate]
    rows, columns = plate_format(members)
    width = 4.4 if columns <= 12 else 5.8
    figure = new_figure(width, width * (rows + 0.6) / (columns + 0.6))
    axes = figure.add_axes((0.05, 0.0, 0.95, 0.93))
    _draw_frame(axes, rows, columns)
    scored = [well for well in members if well.efficacy is not None]
    missing = [well for well in members if well.efficacy is None and well.role is not Role.EMPTY]
    _draw_wells(axes, scored, "wells-scored", [efficacy_colour(well.efficacy or 0.0) for well in scored])
    _draw_wells(axes, missing, "wells-missing", ["none"] * len(missing))
    _mark_controls(axes, scored, columns)
    _cross_out(axes, missing, columns)
    titles = {"wells-scored": tuple(map(well_title, scored)), "wells-missing": tuple(map(well_title, missing))}
    label = f"Efficacy of plate {plate}, {rows * columns} wells: {len(scored)} scored, {len(missing)} without a score."
    return Drawing(figure, label, {gid: texts for gid, texts in titles.items() if texts})


def plate_legend() -> list[Line2D]:
    """Return the entries of a legend for `plate_heatmap`."""
    scores = [legend_mark("o", efficacy_colour(value), f"efficacy {text}", LINE) for value, text in _LEGEND_SCORES]
    signs = [legend_mark(marker, INK, role.label) for role, marker in _ROLE_MARKERS.items()]
    return [*scores, legend_mark("o", "none", "empty", LINE), *signs, legend_mark("x", MUTED, "no score")]


def _draw_frame(axes: Axes, rows: int, columns: int) -> None:
    style_axes(axes)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_aspect("equal")
    axes.set_xlim(0.4, columns + 0.6)
    # Row A is at the top, as on the bench.
    axes.set_ylim(rows + 0.6, 0.4)
    size = FONT_SIZE if rows <= 8 else FONT_SIZE - 3.5
    axes.set_xticks(range(1, columns + 1), [str(column) for column in range(1, columns + 1)], fontsize=size)
    axes.set_yticks(range(1, rows + 1), [row_letters(row) for row in range(1, rows + 1)], fontsize=size)
    axes.tick_params(length=0, pad=2, top=False, labeltop=True, bottom=False, labelbottom=False)
    positions = [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    axes.add_collection(_discs(axes, positions, ["none"] * len(positions)))


def _draw_wells(axes: Axes, wells: Sequence[WellScore], gid: str, colours: Sequence[str]) -> None:
    if wells:
        discs = _discs(axes, [parse_well(well.well) for well in wells], colours)
        discs.set_gid(gid)
        axes.add_collection(discs)


def _discs(axes: Axes, positions: Sequence[tuple[int, int]], colours: Sequence[str]) -> EllipseCollection:
    """Discs at rows and columns. The SVG defines one disc and uses it many times, at a hundred bytes per well."""
    return EllipseCollection(
        [0.86],
        [0.86],
        [0],
        units="xy",
        offsets=[(column, row) for row, column in positions],
        offset_transform=axes.transData,
        facecolors=list(colours),
        edgecolors=LINE,
        linewidths=0.6,
    )


def _mark_controls(axes: Axes, wells: Sequence[WellScore], columns: int) -> None:
    """Draw a plus on positive and a minus on negative controls, dark or light by the colour below."""
    # All markers of one call have one colour, so that wells are grouped by sign and ink first.
    groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for well in wells:
        if well.role in _ROLE_MARKERS:
            ink = contrasting(efficacy_colour(well.efficacy or 0.0))
            groups.setdefault((_ROLE_MARKERS[well.role], ink), []).append(parse_well(well.well))
    for (marker, ink), positions in groups.items():
        _draw_markers(axes, positions, marker, ink, columns)


def _cross_out(axes: Axes, wells: Sequence[WellScore], columns: int) -> None:
    if wells:
        _draw_markers(axes, [parse_well(well.well) for well in wells], "x", MUTED, columns)


def _draw_markers(axes: Axes, positions: Sequence[tuple[int, int]], marker: str, ink: str, columns: int) -> None:
    # Points per well: the signs shrink with the discs, and are a sixth as thick as they are wide.
    size = (90.0 if columns <= 12 else 110.0) / columns
    y, x = zip(*positions, strict=True)
    axes.plot(x, y, linestyle="none", marker=marker, markersize=size, markeredgecolor=ink, markeredgewidth=size / 6)
