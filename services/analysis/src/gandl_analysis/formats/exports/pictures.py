"""The figures of a screen as files: curves, a plate, the controls, and the planes of the axes, as SVG, PNG or PDF."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.errors import NotFound
from gandl_shared.schemas.vocabulary import Role
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from gandl_analysis.figures.controls import control_distributions
from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.e2_c2_plane import e2_c2_plane
from gandl_analysis.figures.e2_plane import PlotScale, e2_plane
from gandl_analysis.figures.marks import DRAWING_ORDER, add_heading, role_legend
from gandl_analysis.figures.montage import figures_png, figures_svg
from gandl_analysis.figures.plate import plate_heatmap, plate_legend
from gandl_analysis.formats.exports.source import (
    ExportChoice,
    ExportSource,
    cell_lines_of,
    chosen_cell_line,
    chosen_curves,
    chosen_plate,
    plates_of,
)
from gandl_analysis.pipeline.result import AxisScores, ScreenAnalysis
from gandl_analysis.report.compounds import drawn_curves

_NO_C2 = "it has no axis between two cell lines (C2)"
Draw = Callable[[ExportSource, ExportChoice], Sequence[Figure]]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure that can be taken along. `draw` returns its panels, which stand below each other or on pages."""

    name: str
    meaning: str
    choices: frozenset[str]
    draw: Draw
    lack: Callable[[ScreenAnalysis], str | None] = lambda _: None


def to_pdf(figures: Iterable[Figure]) -> bytes:
    """Return a PDF with one page per figure and without a date, so that equal figures give equal bytes. Its texts are
    texts, not outlines."""
    buffer = io.BytesIO()
    with PdfPages(buffer, metadata={"CreationDate": None, "Creator": "gandl", "Producer": "gandl"}) as pages:
        for figure in figures:
            pages.savefig(figure)
    return buffer.getvalue()


def _curves(source: ExportSource, choice: ExportChoice) -> Sequence[Figure]:
    return [dose_response_figure(curve) for curve in chosen_curves(source, choice)]


def _plate(source: ExportSource, choice: ExportChoice) -> Sequence[Figure]:
    plate = chosen_plate(source, choice)
    figure = plate_heatmap(source.analysis.wells, plate).figure
    add_heading(figure, f"{plate}: efficacy of the wells", plate_legend(), 4)
    return [figure]


def _controls(source: ExportSource, choice: ExportChoice) -> Sequence[Figure]:
    cell_line = chosen_cell_line(source, choice)
    figure = control_distributions(source.analysis.wells, cell_line).figure
    controls = [role for role in reversed(DRAWING_ORDER) if role.is_control]
    return [_titled(figure, f"{cell_line}: controls by plate, mean ± 3 SD", controls)]


def _e2_plane(source: ExportSource, choice: ExportChoice) -> Sequence[Figure]:
    cell_line = chosen_cell_line(source, choice)
    figure = e2_plane(source.analysis.wells, cell_line, _scale(source)).figure
    return [_titled(figure, f"{cell_line}: wells along and across the efficacy axis E2")]


def _e2_c2_plane(source: ExportSource, _: ExportChoice) -> Sequence[Figure]:
    c2 = _c2_of(source.analysis)
    drawing = None if c2 is None else e2_c2_plane(source.analysis.wells, c2, _scale(source))
    if drawing is None:
        raise NotFound(f"screen '{source.screen}' has no e2_c2_plane: {_NO_C2}")
    return [_titled(drawing.figure, "Wells by efficacy (E2) and cell line (C2)")]


def _c2_of(analysis: ScreenAnalysis) -> AxisScores | None:
    return next((axis for axis in analysis.axes if axis.name == "C2" and axis.hash), None)


def _lack_of_c2(analysis: ScreenAnalysis) -> str | None:
    return None if _c2_of(analysis) else _NO_C2


def _titled(figure: Figure, title: str, roles: Sequence[Role] = DRAWING_ORDER[::-1]) -> Figure:
    add_heading(figure, title, role_legend(roles), len(roles))
    return figure


def _of_lines(source: ExportSource, draw: Draw) -> Iterator[Figure]:
    for name in cell_lines_of(source):
        yield from draw(source, ExportChoice(cell_line=name))


def _scale(source: ExportSource) -> PlotScale:
    # The paper plots stretched scores, so that its preset can be compared with its figures.
    return PlotScale.MIN_MAX if source.analysis.provenance.parameters.preset == "paper" else PlotScale.SCORES


PICTURES = (
    Picture(
        name="curve",
        meaning="The dose-response curves of a compound; all cell lines if none is chosen.",
        choices=frozenset({"compound", "cell_line"}),
        draw=_curves,
    ),
    Picture(name="plate", meaning="The efficacies of a plate.", choices=frozenset({"plate"}), draw=_plate),
    Picture(
        name="controls",
        meaning="The control wells of a cell line by plate.",
        choices=frozenset({"cell_line"}),
        draw=_controls,
    ),
    Picture(
        name="e2_plane",
        meaning="The wells of a cell line along and beside the axis E2.",
        choices=frozenset({"cell_line"}),
        draw=_e2_plane,
    ),
    Picture(
        name="e2_c2_plane",
        meaning="The wells of two cell lines in the plane of the axes E2 and C2.",
        choices=frozenset(),
        draw=_e2_c2_plane,
        lack=_lack_of_c2,
    ),
)
SCREEN_FIGURES: Mapping[str, Callable[[ExportSource], Iterable[Figure]]] = {
    "curves": lambda source: (dose_response_figure(curve) for curve in drawn_curves(source.analysis.curves)),
    "plates": lambda source: (_plate(source, ExportChoice(plate=plate))[0] for plate in plates_of(source)),
    "controls": lambda source: _of_lines(source, _controls),
    "e2_plane": lambda source: _of_lines(source, _e2_plane),
    "e2_c2_plane": lambda source: _e2_c2_plane(source, ExportChoice()),
}
"""The figures of a whole screen, each as the pages of one file."""
RENDERINGS: Mapping[str, tuple[str, Callable[[Sequence[Figure]], bytes]]] = {
    "svg": ("image/svg+xml", lambda figures: figures_svg(figures).encode()),
    "png": ("image/png", figures_png),
    "pdf": ("application/pdf", to_pdf),
}
"""The media type and the writer of each form of a figure by the end of its name."""
