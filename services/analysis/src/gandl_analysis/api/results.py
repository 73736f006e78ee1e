"""Routes of the results of an analysis: quality, wells, sites, axes, hits, comparison and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from gandl_shared.schemas.answers import Comparison, Page, ScreenAxes
from gandl_shared.schemas.quality import Quality
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore
from gandl_shared.web.errors import error_responses
from gandl_shared.web.negotiation import CSV, JSON, preferred
from gandl_shared.web.query import NO_QUERY

from gandl_analysis.api.parameters import (
    Accept,
    AxesQuery,
    ComparisonQuery,
    HitsQuery,
    OtherScreenId,
    PageQuery,
    ScreenId,
    VersionQuery,
    WellsQuery,
    content,
)
from gandl_analysis.api.provider import Provider
from gandl_analysis.formats.tables.wells import hits_csv, sites_csv, wells_csv
from gandl_analysis.service.pixels.pictures import stored_report

T = TypeVar("T")

_SCREEN = "/screens/{id}"
_ERRORS = error_responses(401, 404, 409, 422, 500, 503)
_TABLE = {**_ERRORS, **content(CSV)}
_FEATURES: dict[int | str, dict[str, Any]] = {**error_responses(401, 404, 422, 500, 503), **content(CSV)}
_PAGE: dict[int | str, dict[str, Any]] = {**_ERRORS, 200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


def router(services: Provider) -> APIRouter:
    """Return the routes that read a stored analysis of a screen: the newest one, or the one of `?version=`.

    They answer 409 as long as there is none.
    """
    routes = APIRouter(tags=["results"])

    @routes.get(f"{_SCREEN}/quality", responses=_ERRORS, summary="Assay quality")
    def quality(screen: ScreenId, query: Annotated[VersionQuery, Query()]) -> Quality:
        """Return Z′, robust Z′, V-factor, SSMD and accuracy of every cell line and plate, from out-of-fold scores."""
        return services().results.of(screen, query.version).analysis.quality

    @routes.get(f"{_SCREEN}/wells", responses=_TABLE, response_model=Page[WellScore], summary="Wells")
    def wells(
        screen: ScreenId, query: Annotated[WellsQuery, Query()], accept: Accept = None
    ) -> Page[WellScore] | Response:
        """Return the scores of wells in plate map order. CSV has the columns of `wells.csv`, and all rows."""
        return _table(services().results.wells(screen, query.version, query.filter), wells_csv, query, accept)

    @routes.get(f"{_SCREEN}/sites", responses=_TABLE, response_model=Page[SiteScore], summary="Fields of view")
    def sites(
        screen: ScreenId, query: Annotated[WellsQuery, Query()], accept: Accept = None
    ) -> Page[SiteScore] | Response:
        """Return the scores of fields of view in plate map order. CSV has the columns of `sites.csv`, and all rows."""
        return _table(services().results.sites(screen, query.version, query.filter), sites_csv, query, accept)

    @routes.get(
        f"{_SCREEN}/features",
        responses=_FEATURES,
        response_class=Response,
        summary="Features of a table",
        dependencies=[NO_QUERY],
    )
    def features(screen: ScreenId) -> Response:
        """Return which features of a table are used and which rule left out the others, as `features.csv`. A screen of
        images has none."""
        return Response(services().results.features(screen), media_type=CSV)

    @routes.get(f"{_SCREEN}/axes", responses=_ERRORS, summary="Wells in the plane of each axis")
    def axes(screen: ScreenId, query: Annotated[AxesQuery, Query()]) -> ScreenAxes:
        """Return every well with vectors as a point of each axis: `on` is its position along the axis, `off` beside it,
        and `off_distance` its distance from the two groups. The quality of an axis says how well out-of-fold scores
        separate the two groups."""
        return services().results.axes(screen, query.version, query.axis or ())

    @routes.get(f"{_SCREEN}/hits", responses=_TABLE, response_model=Page[Hit], summary="Ranked compounds")
    def hits(screen: ScreenId, query: Annotated[HitsQuery, Query()], accept: Accept = None) -> Page[Hit] | Response:
        """Return compounds by rank within their cell line. Active compounds come before biphasic ones. Then the class
        of q (0.001, 0.01, 0.05), Emax in steps of 0.1 and the window between EC50 and toxicity decide, and last the
        exact q, Emax and EC50. Toxic, inactive and undetermined compounds have no rank and come last. Filters do not
        change the ranks."""
        return _table(services().results.hits(screen, query.version, query.filter), hits_csv, query, accept)

    @routes.get(f"{_SCREEN}/compare/{{other}}", responses=_ERRORS, summary="Two analyses side by side")
    def compare(screen: ScreenId, other: OtherScreenId, query: Annotated[ComparisonQuery, Query()]) -> Comparison:
        """Compare two screens, or two analyses of one screen, well by well and curve by curve."""
        return services().results.comparison(screen, query.version, other, query.other_version)

    @routes.get(f"{_SCREEN}/report", responses=_PAGE, response_class=Response, summary="The report")
    def report(screen: ScreenId, query: Annotated[VersionQuery, Query()]) -> HTMLResponse:
        """Return the `report.html` that `gandl screen` writes, with what people set: one file that needs no network."""
        stored = services().results.of(screen, query.version)
        return HTMLResponse(stored_report(services().results, services().pictures, stored))

    return routes


def _table(
    items: Sequence[T], to_csv: Callable[[Sequence[T]], str | bytes], query: PageQuery, accept: str | None
) -> Page[T] | Response:
    """Return all items as CSV if the client prefers that, otherwise a page of them."""
    # A table that is cut without notice would be analysed as if it were complete; JSON states the total.
    if preferred(accept, (JSON, CSV)) == CSV:
        return Response(to_csv(items), media_type=CSV)
    return query.page(items)
