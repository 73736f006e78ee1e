"""What several figures draw alike: wells by role, the title of a well, dashed lines at values, headings and legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Role
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from gandl_analysis.figures.style import FONT_SIZE, INK, MUTED, PALETTE, PAPER, ROLE_MARKERS
from gandl_analysis.figures.texts import plain

MAX_TITLED_WELLS = 4000
"""The most wells of a figure that carry a title each and stay vectors; more would make a file of many megabytes."""

DRAWING_ORDER = (Role.TREATMENT, Role.NEGATIVE, Role.POSITIVE)
"""Controls are drawn over treatments."""

DASHES = (0, (4, 3))


@dataclass(frozen=True, kw_only=True)
class WellPosition:
    """A well at a position of a plot."""

    well: WellScore
    x: float
    y: float


def well_title(well: WellScore) -> str:
    """Return what is shown under the pointer: plate, well, contents and efficacy."""
    contents = well.compound or well.role.label
    dose = f" {well.concentration_um:.3g} µM" if well.concentration_um else ""
    score = "no score" if well.efficacy is None else f"efficacy {well.efficacy:+.2f}"
    return f"{well.plate} {well.well}: {contents}{dose}, {score}"


def draw_wells(axes: Axes, positions: Sequence[WellPosition], name: str) -> Mapping[str, Sequence[str]]:
    """Draw wells in the form and colour of their role, and return the titles of the marks by gid, which starts with
    `name`."""
    # Beyond the limit a bitmap takes the place of the marks, and a bitmap cannot carry titles.
    is_titled = len(positions) <= MAX_TITLED_WELLS
    titles = {}
    for role in DRAWING_ORDER:
        members = [position for position in positions if position.well.role is role]
        if members:
            gid = f"{name}-{role}"
            _draw_role(axes, members, role, gid, rasterized=not is_titled)
            titles[gid] = tuple(well_title(member.well) for member in members)
    return titles if is_titled else {}


def count_by_role(positions: Sequence[WellPosition]) -> str:
    """Return `16 positive control wells, 16 negative control wells, 64 treatment wells`."""
    roles = [position.well.role for position in positions]
    return ", ".join(f"{roles.count(role)} {role.label} wells" for role in reversed(DRAWING_ORDER))


def mark_value(axes: Axes, value: float, text: str, colour: str = MUTED) -> None:
    """Draw a dashed vertical line at a value of the horizontal axis, with a text above the frame."""
    axes.axvline(value, color=colour, linewidth=0.9, linestyle=DASHES, zorder=1)
    axes.annotate(
        text,
        (value, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        fontsize=FONT_SIZE - 0.5,
        color=MUTED,
    )


def role_legend(roles: Sequence[Role]) -> list[Line2D]:
    """Return the entries of a legend for the marks of roles."""
    return [legend_mark(ROLE_MARKERS[role], PALETTE[role.colour], role.label) for role in roles]


def legend_mark(marker: str, colour: str, label: str, edge: str | None = None) -> Line2D:
    """Return an entry of a legend: a mark and its label. `edge` is the colour of its outline."""
    outline = edge or colour
    return Line2D([], [], linestyle="none", marker=marker, color=colour, markeredgecolor=outline, label=label)


def add_heading(figure: Figure, title: str, legend: Sequence[Line2D], columns: int) -> None:
    """Make a figure taller by a title above and a legend of so many columns below it. A figure in a file needs both,
    and one on a page has them beside it."""
    width, height = figure.get_size_inches()
    top, bottom = 0.34, 0.06 + 0.2 * -(-len(legend) // columns)
    total = height + top + bottom
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0.0, bottom / total, 1.0, height / total))
    else:
        for axes in figure.axes:
            left, low, across, up = axes.get_position(original=True).bounds
            axes.set_position((left, (low * height + bottom) / total, across, up * height / total))
    figure.set_size_inches(width, total)
    figure.text(0.1 / width, 1 - 0.22 / total, plain(title), color=INK, fontsize=FONT_SIZE + 1, fontweight="bold")
    texts = {"fontsize": FONT_SIZE - 1, "labelcolor": MUTED, "handletextpad": 0.2, "columnspacing": 1.2}
    figure.legend(handles=legend, loc="lower left", ncols=columns, frameon=False, borderaxespad=0.1, **texts)


def _draw_role(axes: Axes, members: Sequence[WellPosition], role: Role, gid: str, *, rasterized: bool) -> None:
    colour = PALETTE[role.colour]
    (artist,) = axes.plot(
        [member.x for member in members],
        [member.y for member in members],
        linestyle="none",
        marker=ROLE_MARKERS[role],
        markersize=5.2 if role.is_control else 4.6,
        markerfacecolor=colour,
        markeredgecolor=PAPER if role.is_control else colour,
        markeredgewidth=0.6,
        alpha=0.95 if role.is_control else 0.5,
        rasterized=rasterized,
        label=role.label,
    )
    artist.set_gid(gid)
