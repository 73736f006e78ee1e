"""The scatter of a screen: wells or tiles as points. A lasso selects some for a gallery, the plates and a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from gandl_shared.errors import NotFound
from gandl_shared.web.query import QueryModel
from pydantic import Field

from gandl_analysis.api.parameters import MAX_INTEGER, Text
from gandl_analysis.api.provider import Provider
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
from gandl_analysis.pages.overviews.tile_scatter import tile_axes, tile_pictures, tile_scatter
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.quantities import Quantity, Scale, Value, WellKey, quantities

Context = dict[str, Any]
"""Variables of a template, whose types only the template knows."""


class PointKind(StrEnum):
    """What a point of the scatter is."""

    WELLS = "wells"
    TILES = "tiles"


class ScatterQuery(QueryModel):
    """What the points are, which quantities the scatter shows, and the lasso: points `x,y` in the units of the axes,
    separated by `;`. A quantity that is absent is the first one that tells something."""

    of: PointKind = PointKind.WELLS
    x: Text = "efficacy"
    y: Text | None = None
    colour: Text = "role"
    lasso: Annotated[str, Field(max_length=4000, pattern=r"^[-0-9.e+,;]*$")] = ""
    version: int | None = Field(default=None, ge=1, le=MAX_INTEGER)


def router(reader: ScreenReader, services: Provider | None = None) -> APIRouter:
    """Return the route of the scatter; without services there are no pictures of tiles."""
    routes = page_router()

    @routes.get("/screens/{screen_id}/scatter")
    def show_scatter(request: Request, screen_id: str, query: Annotated[ScatterQuery, Query()]) -> HTMLResponse:
        """All wells, or a sample of the tiles, as points of a plane of two quantities."""
        framed = framed_analysis(request, reader, screen_id, query.version, Tab.SCATTER)
        context = (
            _wells(framed, reader, query) if query.of is PointKind.WELLS else _tiles(framed, reader, services, query)
        )
        colours = [(quantity.name, quantity.label) for quantity in _texts(framed.analysis)]
        return render_page("scatter.html", base=framed.frame.base, frame=framed.frame, colours=colours, **context)

    return routes


def _wells(framed: FramedAnalysis, reader: ScreenReader, query: ScatterQuery) -> Context:
    analysis, offered = framed.analysis, dict(positions(framed.analysis))
    wish = query.model_copy(update={"y": query.y or _first_of(offered, "off_distance", "off", query.x)})
    across, up = (_position(framed, reader, name, offered) for name in (wish.x, str(wish.y)))
    view = scatter_view(analysis, across, up, _colour(analysis, query.colour))
    points = [point.record for point in view.points]
    return _context(framed, wish, offered) | {
        "view": view,
        "n_points": len(points),
        "data": _addresses(framed) | {"points": points, "groups": view.groups, "labels": _labels(wish, offered)},
    }


def _tiles(framed: FramedAnalysis, reader: ScreenReader, services: Provider | None, query: ScatterQuery) -> Context:
    """Return the tiles, or nothing but the reason where an older version analysed the screen."""
    analysis, screen_id = framed.analysis, framed.frame.status.id
    sample = reader.tile_sample(screen_id, framed.frame.version)
    if sample is None:
        return _context(framed, query, {}) | {"view": None, "n_points": 0, "data": None}
    offered = tile_axes(sample)
    of_wells = [name for name, _ in positions(analysis)]
    for name in (query.x, query.y):
        if name is not None and name not in offered and name not in of_wells:
            raise NotFound(f"tiles have no position '{name}'; they have {', '.join(offered)}")
    # The form still names what wells have when a reader turns from wells to tiles.
    x = query.x if query.x in offered else _first_of(offered, "efficacy")
    y = query.y if query.y in offered and query.y is not None else _first_of(offered, "axis:C2", "off")
    wish = query.model_copy(update={"x": x, "y": y})
    view = tile_scatter(analysis, sample, x, y, _colour(analysis, query.colour))
    pictures = None if services is None else tile_pictures(services(), screen_id, sample)
    return _context(framed, wish, offered) | {
        "view": view,
        "n_points": len(view.tiles),
        "pictures": pictures,
        "data": _addresses(framed)
        | {"wells": view.wells, "sites": view.sites, "tiles": view.tiles, "groups": view.groups}
        | {"labels": _labels(wish, offered), "pictures": pictures and asdict(pictures)},
    }


def _context(framed: FramedAnalysis, query: ScatterQuery, offered: Mapping[str, str]) -> Context:
    return {"query": query, "offered": offered, "kinds": tuple(PointKind), "pictures": None}


def _addresses(framed: FramedAnalysis) -> dict[str, object]:
    frame = framed.frame
    return {
        "well": frame.page_address("wells/").split("?")[0],
        "query": frame.version_query,
        "screen": frame.export_address("").split("/exports/")[0],
        "hasPictures": framed.analysis.provenance.table is None,
    }


def _labels(query: ScatterQuery, offered: Mapping[str, str]) -> list[str]:
    return [offered[query.x], offered[query.y or query.x]]


def _first_of(offered: Mapping[str, str], *names: str) -> str:
    return next((name for name in names if name in offered), next(iter(offered), names[-1]))


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
