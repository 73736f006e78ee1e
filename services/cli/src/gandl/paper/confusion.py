"""Figure 6: cell types told apart with features that were trained on other cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from gandl_analysis.figures.style import FONT_SIZE, style_axes
from gandl_analysis.figures.texts import plain
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandl.paper.cell_types import CellTypeConfusion, confuse_cell_types
from gandl.paper.features import FieldVectors
from gandl.paper.pages import Cell, Page
from gandl.paper.published import accuracies_of

HEADER = (
    "features",
    "true_cell_type",
    "assigned_cell_type",
    "n_images",
    "share_of_true",
    "held_out",
    "accuracy_percent",
)


def figure6(cells: Mapping[str, FieldVectors]) -> Page:
    """Return the page of Figure 6: a confusion matrix for each of the features, and the accuracies of the paper."""
    confusions = {name: confuse_cell_types(fields) for name, fields in cells.items()}
    figure = Figure(figsize=(0.8 + 3.2 * len(confusions), 3.9))
    panels = figure.subplots(1, len(confusions), squeeze=False)[0]
    for panel, (name, confusion) in zip(panels, confusions.items(), strict=True):
        _draw(panel, confusion)
        panel.set_title(
            f"{plain(name)}: {100 * confusion.accuracy:.1f} % of {confusion.counts.sum()}", fontsize=FONT_SIZE
        )
    rows = [row for name, confusion in confusions.items() for row in _rows(name, confusion)]
    rows += [(f"paper: {name}", None, None, None, None, None, p) for name, p in _paper().items()]
    unit = " and ".join(sorted({confusion.held_out for confusion in confusions.values()}))
    paper = ", ".join(f"{name} {percent:g} %" for name, percent in _paper().items())
    caption = f"Figure 6: cell types, whole {unit} held out. Paper, RxRx1: {paper}"
    return Page(figure=figure, caption=caption, header=HEADER, rows=rows)


def _paper() -> Mapping[str, float]:
    return accuracies_of("figure6", "cell types")


def _draw(axes: Axes, confusion: CellTypeConfusion) -> None:
    style_axes(axes)
    shares = confusion.counts / np.maximum(confusion.counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(confusion.counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=FONT_SIZE - 1)
    labels = [plain(name) for name in confusion.names]
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("assigned")
    axes.set_ylabel("true")


def _rows(name: str, confusion: CellTypeConfusion) -> Sequence[Sequence[Cell]]:
    totals = confusion.counts.sum(axis=1)
    return [
        (
            name, confusion.names[row], confusion.names[column], int(count), float(count / totals[row]),
            confusion.held_out, 100 * confusion.accuracy,
        )
        for (row, column), count in np.ndenumerate(confusion.counts)
    ]  # fmt: skip
