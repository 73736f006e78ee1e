"""The page of control charts over the plates of several screens."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from gandl_science.assay.controls.charts import MIN_PAIRS, MIN_VALUES
from gandl_shared.errors import NotFound
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.web.query import QueryModel
from markupsafe import Markup

from gandl_analysis.api.parameters import Text
from gandl_analysis.figures.light.chart import chart_picture, is_out
from gandl_analysis.pages.frame.answers import base_path, page_router, render_page
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.overviews.history import (
    Chart,
    ScreenRecord,
    control_charts,
    repeated_compounds,
    screen_record,
)

MAX_SCREENS = 12
"""The most screens that a chart covers, the newest ones: each has to be read."""
MAX_REPEATED = 100


class HistoryQuery(QueryModel):
    """Which cell line and which reference compound the charts show; the first cell line and no compound if absent."""

    cell_line: Text = ""
    compound: Text = ""


def router(reader: ScreenReader) -> APIRouter:
    """Return the route of the charts."""
    routes = page_router()

    @lru_cache(maxsize=200)
    def lines_of(screen_id: str, version: int) -> tuple[str, ...]:
        analysis = reader.analysis(screen_id, version)
        return tuple(dict.fromkeys(well.cell_line for well in analysis.wells if well.cell_line)) if analysis else ()

    @lru_cache(maxsize=400)
    def record_of(screen_id: str, version: int, cell_line: str) -> ScreenRecord | None:
        analysis = reader.analysis(screen_id, version)
        return None if analysis is None else screen_record(reader.status(screen_id), analysis, cell_line)

    @routes.get("/over-time")
    def show_charts(request: Request, query: Annotated[HistoryQuery, Query()]) -> HTMLResponse:
        """Control charts of the newest screens, oldest first."""
        done = [s for s in reader.screens() if s.state is ScreenState.DONE and s.analysis_version is not None]
        newest = [(s.id, s.analysis_version or 1) for s in done[:MAX_SCREENS]][::-1]
        cell_lines = list(dict.fromkeys(line for screen, version in newest for line in lines_of(screen, version)))
        if query.cell_line and query.cell_line not in cell_lines:
            raise NotFound(f"no screen has the cell line '{query.cell_line}'; there are {', '.join(cell_lines)}")
        cell_line = query.cell_line or (cell_lines[0] if cell_lines else "")
        with_line = [(screen, version) for screen, version in newest if cell_line in lines_of(screen, version)]
        records = [record for key in with_line if (record := record_of(*key, cell_line)) is not None]
        ratio, repeated = repeated_compounds(records)
        charts = control_charts(records, query.compound or None)
        return render_page(
            "over_time.html",
            base=base_path(request),
            query=query,
            cell_line=cell_line,
            cell_lines=cell_lines,
            records=records,
            n_done=len(done),
            charts=[(chart, _picture(chart), _outside(chart)) for chart in charts],
            compounds=sorted({name for record in records for name in record.ec50_um}),
            ratio=ratio,
            repeated=repeated[:MAX_REPEATED],
            n_repeated=len(repeated),
            min_values=MIN_VALUES,
            min_pairs=MIN_PAIRS,
            max_screens=MAX_SCREENS,
        )

    return routes


def _picture(chart: Chart) -> Markup:
    label = f"{chart.title}: {len(chart.values)} values, {len(_outside(chart))} beyond three standard deviations."
    # Every text in the picture was escaped when it was made.
    return Markup(chart_picture(chart.values, chart.limits, label))


def _outside(chart: Chart) -> list[str]:
    """What the values beyond three standard deviations are of."""
    return [value.title for value in chart.values if is_out(value.value, chart.limits)]
