"""Routes of screens: submit, watch, cancel, retry, delete, analyse again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.answers import AnalysisVersion, Page
from gandl_shared.schemas.image_layout import ImageReport
from gandl_shared.schemas.screen import ScreenRequest, ScreenStatus
from gandl_shared.web.errors import error_responses
from gandl_shared.web.query import NO_QUERY
from gandl_shared.web.requests.bodies import BodyLimit, bounded_route

from gandl_analysis.api.events import Pace, progress_events
from gandl_analysis.api.parameters import PageQuery, RequestName, ScreenId
from gandl_analysis.api.provider import Provider

BODY_LIMIT = BodyLimit(2**26, "name the plate map by its path")
"""A plate map of 50 million characters is within the limit, with what JSON adds to it."""

_READ = error_responses(401, 404, 422, 500, 503)
_LIST = error_responses(401, 422, 500, 503)
_CHANGE = error_responses(401, 404, 409, 422, 500, 503)
_ANALYSE = {**_CHANGE, **error_responses(400, 413)}
_SUBMIT: dict[int | str, dict[str, Any]] = {
    200: {"model": ImageReport, "description": "The report of a dry run"},
    202: {"model": ScreenStatus},
    **error_responses(400, 401, 403, 404, 413, 415, 422, 500, 503),
}
_EVENT = {
    "type": "object",
    "properties": {"event": {"enum": ["status", "end", "gone"]}, "data": {"type": "string"}},
    "required": ["event", "data"],
}
_EVENTS: dict[int | str, dict[str, Any]] = {**_READ, 200: {"content": {"text/event-stream": {"schema": _EVENT}}}}


def router(services: Provider) -> APIRouter:
    """Return the routes of screens and of what can be done with one."""
    routes = APIRouter(tags=["screens"], route_class=bounded_route(BODY_LIMIT))
    routes.include_router(_collection(services))
    routes.include_router(_single_screen(services))
    return routes


def _collection(services: Provider) -> APIRouter:
    routes = APIRouter(prefix="/screens", route_class=bounded_route(BODY_LIMIT))

    @routes.post("", status_code=202, responses=_SUBMIT, summary="Submit a screen", dependencies=[NO_QUERY])
    def submit(request: ScreenRequest, response: Response, key: RequestName = None) -> ScreenStatus | ImageReport:
        """Submit a screen, which is checked before it is accepted: the plate map, roles, doses, every image and the
        headers of many of them, and the channels against the model. The problems of the plate map come back together,
        or else those of the images, each with its file or row.

        With `dry_run`, nothing is stored: the answer is a report on the images, with status 200."""
        if request.dry_run:
            response.status_code = 200
            return services().submissions.inspect(request)
        return services().submissions.submit(request, key)

    @routes.get("", name="all", responses=_LIST, summary="All screens")
    def list_screens(query: Annotated[PageQuery, Query()]) -> Page[ScreenStatus]:
        """List screens, newest first, without their parked sites."""
        return services().submissions.page(query.offset, query.limit)

    return routes


def _single_screen(services: Provider) -> APIRouter:
    routes = APIRouter(prefix="/screens/{id}", route_class=bounded_route(BODY_LIMIT), dependencies=[NO_QUERY])

    @routes.get("", responses=_READ, summary="State and progress")
    def status(screen: ScreenId) -> ScreenStatus:
        """Return the state (`queued`, `embedding`, `analysing`, then `done`, `failed` or `cancelled`), how many sites
        are done and parked, and why they are parked."""
        return services().submissions.status(screen)

    @routes.delete("", status_code=204, responses=_READ, summary="Delete with all results")
    def delete(screen: ScreenId) -> None:
        """Delete the screen, its vectors and its results. The images stay as they are."""
        services().submissions.delete(screen)

    @routes.post("/cancel", responses=_CHANGE, summary="Stop a running screen")
    def cancel(screen: ScreenId) -> ScreenStatus:
        """Stop a screen. Vectors that are already stored stay, and `retry` goes on from there."""
        return services().submissions.cancel(screen)

    @routes.post("/retry", status_code=202, responses=_CHANGE, summary="Run what failed again")
    def retry(screen: ScreenId) -> ScreenStatus:
        """Queue parked and cancelled sites again, or the analysis if that is what failed."""
        return services().submissions.retry(screen)

    @routes.get("/analyses", responses=_READ, summary="Analyses of a screen")
    def analyses(screen: ScreenId) -> list[AnalysisVersion]:
        """List the analyses of a screen, oldest first."""
        return list(services().submissions.analyses(screen))

    @routes.post("/analyses", status_code=202, responses=_ANALYSE, summary="Analyse again with other parameters")
    def analyse(screen: ScreenId, parameters: AnalysisParameters) -> AnalysisVersion:
        """Queue a new version from the stored vectors. Earlier versions stay and are read with `?version=`."""
        return services().submissions.analyse(screen, parameters)

    @routes.get(
        "/events", responses=_EVENTS, response_class=StreamingResponse, summary="Progress as server-sent events"
    )
    def events(screen: ScreenId) -> StreamingResponse:
        """Send the event `status` with the status as JSON whenever it changes, then `end` when the screen has ended or
        `gone` when it is deleted."""
        submissions, settings = services().submissions, services().settings
        # An unknown screen must answer 404, not an empty stream.
        submissions.status(screen)
        pace = Pace(interval=settings.events_interval, max_seconds=settings.events_seconds)
        stream = progress_events(lambda: submissions.status(screen), pace)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return routes
