"""The report of a screen: one HTML file with everything in it, so that it opens anywhere, years later, offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.axis.paper import min_max
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import WellScore
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gandl_analysis.figures.between import PlacedWell, between_scatter
from gandl_analysis.figures.controls import control_distributions
from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.plate import plate_heatmap
from gandl_analysis.figures.scatter import e2_scatter
from gandl_analysis.figures.style import efficacy_colour
from gandl_analysis.figures.svg import Drawing
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report import wording
from gandl_analysis.report.environment import environment
from gandl_analysis.report.view import CURVE_LIMIT, PLATE_LIMIT, ReportView, report_view

EFFICACY_SPAN = 1.35
CompoundAddress = Callable[[Curve], str]


@dataclass(frozen=True)
class Figures:
    """The inline figures of a report, by row key, cell line or plate."""

    curves: Mapping[str, Markup]
    scatter: Mapping[str, Markup]
    controls: Mapping[str, Markup]
    plates: Mapping[str, Markup]
    between: Markup | None


def render_report(analysis: ScreenAnalysis) -> str:
    """The report as one HTML document: no other file, no network, all text of the user escaped."""
    return environment().get_template("report.html").render(report_context(analysis))


def report_context(analysis: ScreenAnalysis, address: CompoundAddress | None = None) -> dict[str, object]:
    """What the report's template needs; `address` links a curve to its own page, where there is a server."""
    view = report_view(analysis)
    return {
        "analysis": analysis,
        "view": view,
        "figures": _figures(analysis, view),
        "address": address,
        "curve_limit": CURVE_LIMIT,
        "plate_limit": PLATE_LIMIT,
        "scale": ", ".join(efficacy_colour(step / 4) for step in range(-4, 5)),
    }


def curve_figure(curve: Curve, name: str, size: tuple[float, float] = (4.4, 2.9)) -> Markup:
    """The dose-response plot of a curve as an element of a page; `name` is unique in the page, `size` in inches."""
    verdict = wording.VERDICTS[curve.verdict].label
    found = f", EC50 {wording.location(curve.ec50)}" if curve.ec50.value is not None else ""
    label = f"Dose-response of {curve.compound} in {curve.cell_line}: {verdict}{found}."
    return _markup(Drawing(_for_a_card(dose_response_figure(curve, size=size)), label), name)


def _for_a_card(figure: Figure) -> Figure:
    """The page says compound, verdict and EC50 around the plot; and all plots of a report show at least −1 to +1, so
    that they can be compared at a glance."""
    for text in list(figure.texts):
        text.remove()
    figure.subplots_adjust(top=1 - 0.12 / figure.get_figheight())
    axes = figure.axes[0]
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -EFFICACY_SPAN), max(high, EFFICACY_SPAN))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 5, 10]))
    return figure


def _figures(analysis: ScreenAnalysis, view: ReportView) -> Figures:
    wells, lines = analysis.wells, [line.name for line in view.cell_lines]
    paper = analysis.provenance.parameters.preset == "paper"
    plotted = _min_max_wells(wells) if paper else wells
    return Figures(
        curves={row.key: curve_figure(row.curve, row.key) for row in view.rows_shown},
        scatter={name: _markup(e2_scatter(plotted, name, scaled=paper), f"e2-{k}") for k, name in enumerate(lines)},
        controls={name: _markup(control_distributions(wells, name), f"qc-{k}") for k, name in enumerate(lines)},
        plates={name: _markup(plate_heatmap(wells, name), f"plate-{k}") for k, name in enumerate(view.plates_shown)},
        between=_between(analysis, paper=paper),
    )


def _min_max_wells(wells: Sequence[WellScore]) -> list[WellScore]:
    """`on` and `off` stretched to -1 … 1 over the screen, as the paper plots them."""
    known = [w for w in wells if w.on is not None and w.off is not None]
    on, off = (min_max(np.array([getattr(w, name) for w in known])) for name in ("on", "off"))
    return [w.model_copy(update={"on": x, "off": y}) for w, x, y in zip(known, on.tolist(), off.tolist(), strict=True)]


def _between(analysis: ScreenAnalysis, *, paper: bool) -> Markup | None:
    """The plane of E2 and C2, where there are two cell lines."""
    c2 = next((axis for axis in analysis.axes if axis.name == "C2" and axis.hash), None)
    if c2 is None:
        return None
    wells = [analysis.wells[i] for i in c2.wells]
    values = [(w.on if paper else w.efficacy, y) for w, y in zip(wells, c2.on if paper else c2.scaled, strict=True)]
    known = [(w, x, y) for w, (x, y) in zip(wells, values, strict=True) if x is not None and y is not None]
    if not known:
        return None
    across, up = (np.array([row[k] for row in known], float) for k in (1, 2))
    if paper:
        across, up = min_max(across), min_max(up)
    placed = [PlacedWell(w, float(x), float(y)) for (w, _, _), x, y in zip(known, across, up, strict=True)]
    first, second = c2.negative["cell_line"][0], c2.positive["cell_line"][0]
    return _markup(between_scatter(placed, (first, second), scaled=paper), "between")


def _markup(drawing: Drawing, name: str) -> Markup:
    """Safe to put into a page: matplotlib and `inline_svg` escape the text inside."""
    return Markup(drawing.inline(name))
