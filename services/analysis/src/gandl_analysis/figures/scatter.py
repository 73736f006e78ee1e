"""The E2 plane: every well by its distance along the control axis (on) and in the plane across it (off)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gandl_shared.schemas.screen import WellScore
from matplotlib.axes import Axes

from gandl_analysis.figures.style import (
    FONT_SIZE,
    INK,
    MUTED,
    PAPER,
    ROLE_COLOURS,
    ROLE_LABELS,
    ROLE_MARKERS,
    new_figure,
    style_axes,
)
from gandl_analysis.figures.svg import Drawing

TIP_LIMIT = 4000
"""Wells of a figure that carry a title each; with more the file would grow by megabytes."""

ROLE_ORDER = ("treatment", "negative_control", "positive_control")
"""Controls are drawn over treatments."""


def e2_scatter(wells: Sequence[WellScore], cell_line: str, *, scaled: bool = False) -> Drawing:
    """Wells of one cell line; controls square and diamond, treatments round. Wells without scores are left out.
    `scaled` says that `on` and `off` were stretched to -1 … 1, as the paper plots them."""
    shown = [w for w in wells if w.cell_line == cell_line and w.on is not None and w.off is not None]
    figure = new_figure(5.0, 3.6)
    axes = figure.add_subplot()
    style_axes(axes, grid="both")
    tips = {}
    for role in ROLE_ORDER:
        members = [w for w in shown if w.role == role]
        if members:
            gid = f"wells-{role}"
            places = [(w.on or 0.0, w.off or 0.0) for w in members]
            draw_role(axes, places, role, gid, rasterized=len(shown) > TIP_LIMIT)
            tips[gid] = tuple(well_tip(w) for w in members) if len(shown) <= TIP_LIMIT else ()
    _draw_anchors(axes, shown)
    stretched = ", min-max" if scaled else ""
    axes.set_xlabel(f"on: distance along the control axis{stretched} →")
    axes.set_ylabel(f"off: across it{stretched}")
    counts = ", ".join(f"{n} {label}" for label, n in _counts(shown))
    return Drawing(figure, f"E2 scatter of {cell_line}: {counts}.", {gid: t for gid, t in tips.items() if t})


def well_tip(well: WellScore) -> str:
    """What is said about a well under the pointer."""
    what = well.compound or ROLE_LABELS.get(well.role, well.role)
    dose = f" {well.concentration_um:.3g} µM" if well.concentration_um else ""
    score = "no score" if well.efficacy is None else f"efficacy {well.efficacy:+.2f}"
    return f"{well.plate} {well.well}: {what}{dose}, {score}"


def draw_role(axes: Axes, places: Sequence[tuple[float, float]], role: str, gid: str, *, rasterized: bool) -> None:
    """Marks at `places` (x, y) in the form and colour of a role."""
    colour = ROLE_COLOURS[role]
    control = role != "treatment"
    (line,) = axes.plot(
        *zip(*places, strict=True),
        linestyle="none",
        marker=ROLE_MARKERS[role],
        markersize=5.2 if control else 4.6,
        markerfacecolor=colour,
        markeredgecolor=PAPER if control else colour,
        markeredgewidth=0.6,
        alpha=0.95 if control else 0.5,
        rasterized=rasterized,
        label=ROLE_LABELS[role],
    )
    line.set_gid(gid)


def _draw_anchors(axes: Axes, wells: Sequence[WellScore]) -> None:
    """The means of the controls and their midpoint: efficacy −1, +1 and 0."""
    means = [_mean([w.on for w in wells if w.role == role]) for role in ("negative_control", "positive_control")]
    if means[0] is None or means[1] is None:
        return
    places = ((means[0], "−1"), ((means[0] + means[1]) / 2, "efficacy 0"), (means[1], "+1"))
    for place, text in places:
        middle = text == "efficacy 0"
        axes.axvline(place, color=INK if middle else MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate(
            text,
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=FONT_SIZE - 0.5,
            color=MUTED,
        )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def _counts(wells: Sequence[WellScore]) -> Iterator[tuple[str, int]]:
    for role in reversed(ROLE_ORDER):
        yield f"{ROLE_LABELS[role]} wells", sum(w.role == role for w in wells)
