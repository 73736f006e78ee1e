"""The scatter of a screen: wells as points, of which a lasso selects some for a gallery, the plates and a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from gandl_shared.errors import NotFound
from gandl_shared.web.query import QueryModel
from pydantic import Field

from gandl_analysis.api.parameters import MAX_INTEGER, Text
from gandl_analysis.pages.frame.answers import page_router, render_page
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.screen_frame import FramedAnalysis, Tab, framed_analysis
from gandl_analysis.pages.overviews.scatter_view import (
    AXIS,
    COMPONENT,
    axis_position,
    component_positions,
    positions,
    scatter_view,
)
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.quantities import Quantity, Scale, Value, WellKey, quantities


class ScatterQuery(QueryModel):
    """Which quantities the scatter shows, and the lasso: points `x,y` in the units of the axes, separated by `;`."""

    x: Text = "efficacy"
    y: Text = "off_distance"
    colour: Text = "role"
    lasso: Annotated[str, Field(max_length=4000, pattern=r"^[-0-9.e+,;]*$")] = ""
    version: int | None = Field(default=None, ge=1, le=MAX_INTEGER)


def router(reader: ScreenReader) -> APIRouter:
    """Return the route of the scatter."""
    routes = page_router()

    @routes.get("/screens/{screen_id}/scatter")
    def show_scatter(request: Request, screen_id: str, query: Annotated[ScatterQuery, Query()]) -> HTMLResponse:
        """All wells as points of a plane of two quantities."""
        framed = framed_analysis(request, reader, screen_id, query.version, Tab.SCATTER)
        analysis, frame = framed.analysis, framed.frame
        offered = dict(positions(analysis))
        view = scatter_view(
            analysis,
            _position(framed, reader, query.x, offered),
            _position(framed, reader, query.y, offered),
            _colour(analysis, query.colour),
        )
        return render_page(
            "scatter.html",
            base=frame.base,
            frame=frame,
            query=query,
            offered=offered,
            colours=[(quantity.name, quantity.label) for quantity in _texts(analysis)],
            view=view,
            data={
                "points": [point.record for point in view.points],
                "groups": view.groups,
                "labels": [offered[query.x], offered[query.y]],
                "well": frame.page_address("wells/").split("?")[0],
                "query": frame.version_query,
                "screen": frame.export_address("").split("/exports/")[0],
                "hasPictures": analysis.provenance.table is None,
            },
        )

    return routes


def _position(
    framed: FramedAnalysis, reader: ScreenReader, name: str, offered: Mapping[str, str]
) -> Mapping[WellKey, Value]:
    if name not in offered:
        raise NotFound(f"this screen has no quantity '{name}' for an axis; it has {', '.join(offered)}")
    if name.startswith(COMPONENT):
        return component_positions(reader.profiles(framed.frame.status.id), name)
    if name == "off" or name.startswith(AXIS):
        return axis_position(framed.analysis, name)
    return next(quantity.values for quantity in quantities(framed.analysis) if quantity.name == name)


def _texts(analysis: ScreenAnalysis) -> list[Quantity]:
    by_line: Mapping[WellKey, Value] = {(well.plate, well.well): well.cell_line for well in analysis.wells}
    by_plate: Mapping[WellKey, Value] = {(well.plate, well.well): well.plate for well in analysis.wells}
    own = [quantity for quantity in quantities(analysis) if quantity.scale is Scale.CATEGORY]
    return [
        *own[:1],
        Quantity(name="cell_line", label="cell line", meaning="", scale=Scale.CATEGORY, values=by_line),
        Quantity(name="plate", label="plate", meaning="", scale=Scale.CATEGORY, values=by_plate),
        *own[1:],
    ]


def _colour(analysis: ScreenAnalysis, name: str) -> Quantity:
    by_name = {quantity.name: quantity for quantity in _texts(analysis)}
    if name not in by_name:
        raise NotFound(f"wells cannot be coloured by '{name}', but by {', '.join(by_name)}")
    return by_name[name]
