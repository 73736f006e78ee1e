"""What every item writes: a figure as SVG and PNG, and a table. Simulated data are called so on the figure itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_analysis.figures.style import FONT_SIZE, MUTED, NEGATIVE
from gandl_analysis.figures.svg import to_png, to_svg
from gandl_shared.errors import BadInput
from gandl_shared.files.atomic import replace_files
from matplotlib.figure import Figure

from gandl.simulate.published.sites import NOTICE

Cell = str | float | int | None
SIMULATED = "SIMULATED DATA: no statement about real cells or networks"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A figure, its `caption`, and the rows of its table with a name for each column."""

    figure: Figure
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    dpi: int = 110


def is_simulated(folder: Path) -> bool:
    """Return whether the data set says that gandl simulated it."""
    return (folder / NOTICE).is_file()


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
    figure = page.figure
    figure.text(0.01, 0.995, page.caption, va="top", fontsize=FONT_SIZE - 1.5, color=MUTED)
    if simulated:
        size = FONT_SIZE - 1.5
        figure.text(0.995, 0.004, SIMULATED, color=NEGATIVE, fontsize=size, fontweight="bold", va="bottom", ha="right")


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
