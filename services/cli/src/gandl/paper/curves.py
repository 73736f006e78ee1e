"""Figure 5: the mean efficacy of every compound at each concentration, for each cell line."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from gandl_analysis.figures.style import FONT_SIZE, INK, MUTED, style_axes
from gandl_analysis.figures.texts import plain
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.vocabulary import Verdict
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandl.paper.pages import Cell, Page
from gandl.paper.published import HIGHEST
from gandl.simulate.truth import Truth, read_truth

MAX_HIGHEST = 5
HEADER = (
    "features", "cell_line", "compound", "concentration_um", "mean_efficacy", "n_wells", "highlighted", "verdict",
    "ec50_relation", "ec50_um", "true_behaviour", "true_ec50_um",
)  # fmt: skip
_COLOURS = ("#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf")
_NAMED_COLOURS = ("#ff7f0e", "#1f77b4", "#1c2024")


def figure5(analyses: Mapping[str, ScreenAnalysis], compounds: Sequence[str], folder: Path) -> Page:
    """Return the page of Figure 5. `folder` may hold `truth.csv`, which is put beside the curves."""
    lines = sorted({curve.cell_line for analysis in analyses.values() for curve in analysis.curves})
    figure = Figure(figsize=(1.0 + 4.6 * len(lines), 0.9 + 3.5 * len(analyses)))
    panels = figure.subplots(len(analyses), len(lines), squeeze=False)
    truths = _truths(folder)
    rows: list[Sequence[Cell]] = []
    for row, (name, analysis) in zip(panels, analyses.items(), strict=True):
        for panel, line in zip(row, lines, strict=True):
            curves = [curve for curve in analysis.curves if curve.cell_line == line and curve.doses]
            highest = highest_compounds(curves)
            _draw(panel, curves, compounds, highest)
            panel.set_title(plain(f"{line}, {name}"), fontsize=FONT_SIZE)
            for curve in curves:
                rows += _rows(name, curve, _mark(curve.compound, compounds, highest), truths)
    caption = f"Figure 5: mean efficacy by concentration, controls held out. {_paper_words(lines)}"
    return Page(figure=figure, caption=caption, header=HEADER, rows=rows)


def highest_compounds(curves: Sequence[Curve]) -> list[str]:
    """Return the compounds with the highest mean efficacy at any concentration, the highest first, as the paper does.

    The paper looks at nothing but the efficacy, so that a compound that kills may be among them; the verdict tells.
    """
    tops = {curve.compound: max(dose.mean for dose in curve.doses) for curve in curves}
    return sorted(tops, key=lambda name: (-tops[name], name))[:MAX_HIGHEST]


def _paper_words(lines: Sequence[str]) -> str:
    named = [f"{line} {', '.join(HIGHEST[line][:2])} …" for line in lines if line in HIGHEST]
    return f"× toxic by its verdict. Highest in the paper: {'; '.join(named)}" if named else "× toxic by its verdict"


def _mark(compound: str, compounds: Sequence[str], highest: Sequence[str]) -> str:
    words = ["named"] if compound in compounds else []
    return " ".join([*words, *([f"highest {highest.index(compound) + 1}"] if compound in highest else [])])


def _draw(axes: Axes, curves: Sequence[Curve], compounds: Sequence[str], highest: Sequence[str]) -> None:
    style_axes(axes, grid="both")
    axes.set_xscale("log")
    axes.axhline(0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    colours = dict(zip(compounds, itertools.cycle(_NAMED_COLOURS), strict=False))
    colours |= {name: c for name, c in zip(highest, _COLOURS, strict=False) if name not in colours}
    for curve in curves:
        x, y = [dose.concentration for dose in curve.doses], [dose.mean for dose in curve.doses]
        if curve.compound in colours:
            kills = " ×" if curve.verdict is Verdict.TOXIC else ""
            label = plain(f"{curve.compound}{kills}")
            axes.plot(
                x, y, color=colours[curve.compound], linewidth=1.6, marker="o", markersize=3, label=label, zorder=3
            )
        else:
            axes.plot(x, y, color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)), alpha=0.7, zorder=1)
    axes.set_xlabel("concentration, µM")
    axes.set_ylabel("efficacy")
    axes.legend(frameon=False, fontsize=FONT_SIZE - 2.5, loc="upper left")


def _truths(folder: Path) -> Mapping[tuple[str, str], Truth]:
    path = folder / "truth.csv"
    return {(t.compound, t.cell_line): t for t in read_truth(path)} if path.is_file() else {}


def _rows(features: str, curve: Curve, mark: str, truths: Mapping[tuple[str, str], Truth]) -> list[Sequence[Cell]]:
    truth = truths.get((curve.compound, curve.cell_line))
    expected: tuple[Cell, Cell] = (None, None) if truth is None else (truth.behaviour, truth.ec50_um)
    relation = curve.ec50.relation
    result = (mark, str(curve.verdict), None if relation is None else str(relation), curve.ec50.value, *expected)
    return [
        (features, curve.cell_line, curve.compound, dose.concentration, dose.mean, dose.n_wells, *result)
        for dose in curve.doses
    ]
