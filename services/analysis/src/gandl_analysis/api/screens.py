"""Routes of plate jobs: submit, watch, cancel, retry, delete, analyse again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.answers import AnalysisVersion, Page
from gandl_shared.schemas.screen import ScreenRequest, ScreenStatus
from gandl_shared.web.app import error_responses

from gandl_analysis.api.events import Pace, progress_events
from gandl_analysis.api.parameters import ScreenId, Window
from gandl_analysis.api.provider import Provider

_ONE = error_responses(401, 404, 422, 500, 503)
_CHANGE = error_responses(401, 404, 409, 422, 500, 503)
_SUBMIT = error_responses(400, 401, 403, 404, 413, 415, 422, 500, 503)
_EVENT = {
    "type": "object",
    "properties": {"event": {"enum": ["status", "end", "gone"]}, "data": {"type": "string"}},
    "required": ["event", "data"],
}
_EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": _EVENT}}}}


class ScreenRoutes:
    """Screens, newest first, and what can be done with one."""

    def __init__(self, services: Provider) -> None:
        self._services = services

    def add_to(self, router: APIRouter) -> None:
        """Register the routes."""
        one = "/screens/{id}"
        router.post("/screens", status_code=202, responses=_SUBMIT, summary="Submit a screen")(self.submit)
        router.get("/screens", responses=error_responses(401, 422, 500, 503), summary="All screens")(self.all)
        router.get(one, responses=_ONE, summary="State and progress")(self.status)
        router.delete(one, status_code=204, responses=_ONE, summary="Delete with all results")(self.delete)
        router.post(f"{one}/cancel", responses=_CHANGE, summary="Stop a running screen")(self.cancel)
        router.post(f"{one}/retry", status_code=202, responses=_CHANGE, summary="Run what failed again")(self.retry)
        router.get(f"{one}/analyses", responses=_ONE, summary="Analyses of a screen")(self.analyses)
        router.post(
            f"{one}/analyses",
            status_code=202,
            responses={**_CHANGE, **error_responses(400, 413)},
            summary="Analyse again with other parameters",
        )(self.analyse)
        router.get(
            f"{one}/events",
            responses={**_ONE, **_EVENTS},
            response_class=StreamingResponse,
            summary="Progress as server-sent events",
        )(self.events)

    def submit(self, request: ScreenRequest) -> ScreenStatus:
        """Checked before it is accepted: plate map, roles, doses, every image and the headers of many of them, the
        channels against the model. All problems come back at once, each with its file or row."""
        return self._services().screens.submit(request)

    def all(self, window: Annotated[Window, Depends()]) -> Page[ScreenStatus]:
        """Newest first, without the lists of parked sites."""
        return self._services().screens.page(window.offset, window.limit)

    def status(self, screen: ScreenId) -> ScreenStatus:
        """`queued`, `embedding`, `analysing`, then `done`, `failed` or `cancelled`; sites done and parked, and why."""
        return self._services().screens.status(screen)

    def delete(self, screen: ScreenId) -> None:
        """Remove the screen, its vectors and its results. The images stay as they are."""
        self._services().screens.delete(screen)

    def cancel(self, screen: ScreenId) -> ScreenStatus:
        """What is embedded already stays; `retry` goes on from there."""
        return self._services().screens.cancel(screen)

    def retry(self, screen: ScreenId) -> ScreenStatus:
        """Queue parked and cancelled sites again, or the analysis if that is what failed."""
        return self._services().screens.retry(screen)

    def analyses(self, screen: ScreenId) -> list[AnalysisVersion]:
        """Oldest first."""
        return list(self._services().screens.analyses(screen))

    def analyse(self, screen: ScreenId, parameters: AnalysisParameters) -> AnalysisVersion:
        """A new version from the stored vectors; the earlier ones stay and are read with `?version=`."""
        return self._services().screens.analyse(screen, parameters)

    def events(self, screen: ScreenId) -> StreamingResponse:
        """`status` with the status as JSON whenever it changes; `end` when the screen has ended, `gone` if it is
        deleted."""
        services = self._services()
        services.screens.status(screen)  # an unknown screen is a 404, not an empty stream
        pace = Pace(services.settings.events_interval, services.settings.events_seconds)
        stream = progress_events(lambda: services.screens.status(screen), pace)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
