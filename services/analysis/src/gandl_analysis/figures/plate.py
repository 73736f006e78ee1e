"""A plate as it lies on the bench: one disc a well, coloured by efficacy, marked by role."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gandl_shared.schemas.screen import WellScore
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection

from gandl_analysis.figures.scatter import well_tip
from gandl_analysis.figures.style import (
    FONT_SIZE,
    LINE,
    MUTED,
    contrasting,
    efficacy_colour,
    new_figure,
    style_axes,
)
from gandl_analysis.figures.svg import Drawing

FORMATS = ((8, 12), (16, 24), (32, 48))
_WELL = re.compile(r"^([A-Z]{1,2})(\d+)$")
_ROLE_MARKS: Mapping[str, str] = {"positive_control": "+", "negative_control": "_"}


def place_of(well: str) -> tuple[int, int]:
    """Row and column, counted from 0, of a well name: `A01` → (0, 0), `AF48` → (31, 47)."""
    found = _WELL.match(well)
    if not found:
        raise ValueError(f"{well!r} is not a well name such as A01")
    row = 0
    for letter in found[1]:
        row = row * 26 + ord(letter) - 64
    return row - 1, int(found[2]) - 1


def plate_format(wells: Sequence[WellScore]) -> tuple[int, int]:
    """Rows and columns of the smallest standard plate (96, 384, 1536) that has all these wells."""
    rows, columns = (1 + max(numbers) for numbers in zip(*(place_of(w.well) for w in wells), strict=True))
    fitting = [shape for shape in FORMATS if shape[0] >= rows and shape[1] >= columns]
    return fitting[0] if fitting else (rows, columns)


def plate_heatmap(wells: Sequence[WellScore], plate: str) -> Drawing:
    """Efficacy of one plate. Wells without a score are crossed out, wells that held nothing are rings."""
    members = [w for w in wells if w.plate == plate]
    rows, columns = plate_format(members)
    width = 4.4 if columns <= 12 else 5.8
    figure = new_figure(width, width * (rows + 0.6) / (columns + 0.6))
    axes = figure.add_axes((0.05, 0.0, 0.95, 0.93))
    _draw_frame(axes, rows, columns)
    scored = [w for w in members if w.efficacy is not None]
    missing = [w for w in members if w.efficacy is None and w.role != "empty"]
    _draw_wells(axes, scored, "wells-scored", [efficacy_colour(w.efficacy or 0.0) for w in scored])
    _draw_wells(axes, missing, "wells-missing", ["none"] * len(missing))
    _draw_marks(axes, scored, columns)
    _draw_crosses(axes, missing, columns)
    tips = {"wells-scored": tuple(map(well_tip, scored)), "wells-missing": tuple(map(well_tip, missing))}
    label = f"Efficacy of plate {plate}, {rows * columns} wells: {len(scored)} scored, {len(missing)} without a score."
    return Drawing(figure, label, {gid: t for gid, t in tips.items() if t})


def _draw_frame(axes: Axes, rows: int, columns: int) -> None:
    style_axes(axes)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_aspect("equal")
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(rows - 0.4, -0.6)
    size = FONT_SIZE if rows <= 8 else FONT_SIZE - 3.5
    axes.set_xticks(range(columns), [str(c + 1) for c in range(columns)], fontsize=size)
    axes.set_yticks(range(rows), [row_letters(r) for r in range(rows)], fontsize=size)
    axes.tick_params(length=0, pad=2, top=False, labeltop=True, bottom=False, labelbottom=False)
    everywhere = [(c, r) for r in range(rows) for c in range(columns)]
    axes.add_collection(_discs(axes, everywhere, ["none"] * len(everywhere)))


def row_letters(row: int) -> str:
    """Letters of a row counted from 0: `A` … `Z`, `AA` …"""
    return chr(65 + row) if row < 26 else chr(64 + row // 26) + chr(65 + row % 26)


def _draw_wells(axes: Axes, wells: Sequence[WellScore], gid: str, colours: Sequence[str]) -> None:
    if wells:
        discs = _discs(axes, [place_of(w.well)[::-1] for w in wells], colours)
        discs.set_gid(gid)
        axes.add_collection(discs)


def _discs(axes: Axes, places: Sequence[tuple[int, int]], colours: Sequence[str]) -> EllipseCollection:
    """One shared disc, placed many times: an SVG names it by `use`, so a well costs a hundred bytes."""
    return EllipseCollection(
        [0.86],
        [0.86],
        [0],
        units="xy",
        offsets=places,
        offset_transform=axes.transData,
        facecolors=list(colours),
        edgecolors=LINE,
        linewidths=0.6,
    )


def _draw_marks(axes: Axes, wells: Sequence[WellScore], columns: int) -> None:
    """A plus on positive controls, a minus on negative ones, dark or light by what is beneath."""
    groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for well in wells:
        if well.role in _ROLE_MARKS:
            ink = contrasting(efficacy_colour(well.efficacy or 0.0))
            groups.setdefault((_ROLE_MARKS[well.role], ink), []).append(place_of(well.well))
    for (mark, ink), places in groups.items():
        _draw_symbols(axes, places, mark, ink, columns)


def _draw_crosses(axes: Axes, wells: Sequence[WellScore], columns: int) -> None:
    if wells:
        _draw_symbols(axes, [place_of(w.well) for w in wells], "x", MUTED, columns)


def _draw_symbols(axes: Axes, places: Sequence[tuple[int, int]], mark: str, ink: str, columns: int) -> None:
    size = (90.0 if columns <= 12 else 110.0) / columns
    rows, cols = zip(*places, strict=True)
    axes.plot(cols, rows, linestyle="none", marker=mark, markersize=size, markeredgecolor=ink, markeredgewidth=size / 6)
