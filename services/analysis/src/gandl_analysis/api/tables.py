"""The route of tables: features that another program computed, analysed as a screen."""

from __future__ import annotations

from fastapi import APIRouter
from gandl_shared.schemas.screen import ScreenStatus, TableRequest
from gandl_shared.web.errors import error_responses
from gandl_shared.web.query import NO_QUERY
from gandl_shared.web.requests.bodies import BodyLimit, bounded_route

from gandl_analysis.api.parameters import RequestName
from gandl_analysis.api.provider import Provider

BODY_LIMIT = BodyLimit(2**27, "name the table by its path")
"""A table of 50 million characters in base64 and a plate map of as many are within the limit."""
_SUBMIT = error_responses(400, 401, 403, 404, 413, 415, 422, 500, 503)


def router(services: Provider) -> APIRouter:
    """Return the route of tables."""
    routes = APIRouter(prefix="/analyses", tags=["screens"], route_class=bounded_route(BODY_LIMIT))

    @routes.post("", status_code=202, responses=_SUBMIT, summary="Analyse a table of features", dependencies=[NO_QUERY])
    def submit(request: TableRequest, key: RequestName = None) -> ScreenStatus:
        """Submit features that another program computed, one row per well, field of view or cell. The table is read and
        checked completely before it is accepted; all problems of a kind come back together, each with file, row and
        column. The answer is a screen without images: watch it and read its results by the routes of screens."""
        return services().submissions.submit_table(request, key)

    return routes
