"""A part of an application with routes that fail in every way, for the tests of what all services share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Query
from fastapi.testclient import TestClient
from gandl_shared.errors import Full, GandlError, Invalid, NotFound, Problem
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.web.app import Part, build_app
from gandl_shared.web.health import Readiness
from gandl_shared.web.keys import require_key
from gandl_shared.web.query import NO_QUERY, QueryModel
from prometheus_client import CollectorRegistry
from pydantic import Field, SecretStr

ERRORS: dict[str, Callable[[], Exception]] = {
    "full": lambda: Full("queue full", retry_after=2.2),
    "missing": lambda: NotFound("no file \udcff.tif"),
    "rows": lambda: Invalid("two rows", problems=[Problem("bad dose", row=3)]),
    "bug": lambda: ZeroDivisionError("secret inside"),
    "ours": lambda: GandlError("broken disk"),
}


class ColoursQuery(QueryModel):
    """Parameters of a route that has some."""

    colour: str | None = None
    limit: int = Field(default=1, ge=1)


def make_part(
    name: str = "one", *, log: list[str] | None = None, ready: Readiness = lambda: None, key: str | None = None
) -> Part:
    """Return a part that notes its start and stop in `log`."""
    router = APIRouter(dependencies=[Depends(require_key(SecretStr(key) if key else None))])

    @router.get("/fail/{kind}", operation_id=f"fail-{name}", dependencies=[NO_QUERY])
    async def fail(kind: str) -> None:
        raise ERRORS[kind]()

    @router.post("/limits", operation_id=f"limits-{name}")
    async def limits(limits: IntensityLimits) -> IntensityLimits:
        return limits

    @router.get("/colours", operation_id=f"colours-{name}")
    async def colours(query: Annotated[ColoursQuery, Query()]) -> ColoursQuery:
        return query

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        notes = log if log is not None else []
        notes.append(f"{name} starts")
        yield
        notes.append(f"{name} stops")

    return Part(name=name, add_routes=lambda app: app.include_router(router), ready=ready, lifespan=lifespan)


def make_client(*parts: Part) -> TestClient:
    """Return a client of an application of these parts, which answers a fault with 500 instead of raising it."""
    app = build_app("t", parts or [make_part()], registry=CollectorRegistry(), version="1")
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def client() -> TestClient:
    """A client of an application of one part."""
    return make_client()
