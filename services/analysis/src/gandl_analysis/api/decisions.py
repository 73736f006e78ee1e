"""Routes of the decisions of people about a screen: the trail as JSON or CSV, and a further decision."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from gandl_shared.schemas.analysis.decisions import Decision, DecisionRequest, DecisionTrail
from gandl_shared.web.errors import error_responses
from gandl_shared.web.negotiation import CSV, JSON, preferred
from gandl_shared.web.query import NO_QUERY
from gandl_shared.web.requests.bodies import BodyLimit, bounded_route

from gandl_analysis.api.parameters import Accept, ScreenId, content
from gandl_analysis.api.provider import Provider
from gandl_analysis.formats.tables.decisions import decisions_csv

BODY_LIMIT = BodyLimit(2**22, "make several decisions")
_READ = {**error_responses(401, 404, 422, 500, 503), **content(CSV)}
_DECIDE = error_responses(400, 401, 404, 409, 413, 422, 500, 503)


def router(services: Provider) -> APIRouter:
    """Return the routes of decisions."""
    routes = APIRouter(
        prefix="/screens/{id}/decisions",
        tags=["decisions"],
        route_class=bounded_route(BODY_LIMIT),
        dependencies=[NO_QUERY],
    )

    @routes.get("", responses=_READ, response_model=DecisionTrail, summary="The trail of decisions")
    def trail(screen: ScreenId, accept: Accept = None) -> DecisionTrail | Response:
        """Return every decision about the screen, oldest first: who, when, why, and which version it made. CSV has one
        row per decision and thing that it is about. Nothing in the trail is ever changed or removed before the screen
        is."""
        answer = services().decisions.trail(screen)
        if preferred(accept, (JSON, CSV)) == CSV:
            return Response(decisions_csv(answer.decisions), media_type=CSV)
        return answer

    @routes.post("", status_code=202, responses=_DECIDE, summary="Exclude, bring back, or assess a curve")
    def decide(screen: ScreenId, request: DecisionRequest) -> Decision:
        """Record a decision with its reason and its author. `exclude` and `restore` queue a new version of the analysis
        from the stored vectors, which `version` of the answer names; what is excluded stays in its result, marked with
        the reason. `assess` and `withdraw` change no version: a verdict or an EC50 set by a person is shown beside the
        computed one."""
        return services().decisions.decide(screen, request)

    return routes
