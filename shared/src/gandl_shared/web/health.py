"""Health routes: whether the process answers, and whether every part of it can do its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from gandl_shared.errors import Unavailable
from gandl_shared.web.errors import error_responses
from gandl_shared.web.query import NO_QUERY

Readiness = Callable[[], str | None]
"""Returns None if a part is ready, otherwise the reason why it is not."""


class Health(BaseModel):
    """The state of an application and of each of its parts."""

    status: str
    parts: Mapping[str, str]


def health_router(checks: Mapping[str, Readiness]) -> APIRouter:
    """Return /health/live and /health/ready for parts by name."""
    router = APIRouter(tags=["operations"], dependencies=[NO_QUERY])

    @router.get("/health/live", summary="The process answers")
    async def live() -> Health:
        return Health(status="live", parts=dict.fromkeys(checks, "live"))

    @router.get("/health/ready", summary="Every part can do its work", responses=error_responses(503))
    async def ready() -> Health:
        # A check may wait for a disk or a database, and other requests must not wait with it.
        reasons = {name: await run_in_threadpool(check) for name, check in checks.items()}
        waiting = [f"{name}: {reason}" for name, reason in reasons.items() if reason]
        if waiting:
            raise Unavailable("not ready: " + "; ".join(waiting))
        return Health(status="ready", parts=dict.fromkeys(reasons, "ready"))

    return router
