"""What every item writes: a figure as SVG and PNG, and a table. Simulated data are called so on the figure itself."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_analysis.figures.style import FONT_SIZE, MUTED, NEGATIVE
from gandl_analysis.figures.svg import to_png, to_svg
from gandl_shared.errors import BadInput
from gandl_shared.files.atomic import replace_files
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

Cell = str | float | int | None
SIMULATED = "SIMULATED DATA: no statement about real cells or networks"
_SIZE = FONT_SIZE - 1.5
_CHARACTER_WIDTH, _LINE_HEIGHT = 0.58, 1.3
"""In units of the font's size; the width is that of a wide text, so that no caption is longer than its figure."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A figure, its `caption`, and the rows of its table with a name for each column."""

    figure: Figure
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    dpi: int = 110


def write_pages(out: Path, pages: Mapping[str, Page], *, simulated: bool) -> list[Path]:
    """Write each page as NAME.svg, NAME.png and NAME.csv, all or none of them. Raises BadInput if `out` is a file."""
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; give a folder to write to")
    contents: dict[str, bytes] = {}
    for name, page in pages.items():
        _caption(page, simulated=simulated)
        contents[f"{name}.svg"] = to_svg(page.figure).encode()
        contents[f"{name}.png"] = to_png(page.figure, page.dpi)
        contents[f"{name}.csv"] = _csv(page).encode()
    out.mkdir(parents=True, exist_ok=True)
    replace_files(out, contents)
    return [out / name for name in contents]


def _caption(page: Page, *, simulated: bool) -> None:
    """Write the caption above the panels and the notice below them, and give the panels the space between."""
    figure = page.figure
    lines = caption_lines(page.caption, figure.get_figwidth())
    figure.text(0.01, 0.995, "\n".join(lines), va="top", fontsize=_SIZE, color=MUTED, linespacing=_LINE_HEIGHT)
    if simulated:
        figure.text(0.99, 0.005, SIMULATED, color=NEGATIVE, fontsize=_SIZE, fontweight="bold", va="bottom", ha="right")
    line = _LINE_HEIGHT * _SIZE / 72 / figure.get_figheight()
    top, bottom = (len(lines) + 0.7) * line, 1.2 * line * simulated
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0, bottom, 1, 1 - top - bottom)))


def caption_lines(caption: str, width: float) -> list[str]:
    """Return the lines of a caption on a figure of this width in inches."""
    return textwrap.wrap(caption, int(0.98 * width * 72 / (_CHARACTER_WIDTH * _SIZE)))


def _csv(page: Page) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(page.header)
    writer.writerows([_text(cell) for cell in row] for row in page.rows)
    return buffer.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)
