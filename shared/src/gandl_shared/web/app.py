"""What every service answers alike: errors as ErrorBody JSON with a request id, health, metrics, keys.

A service is a `Part`: its routes, whether it is ready, what lives as long as it does. `build_app` makes one application
of one part (a container) or of several (the embedded stack). Needs the extra `gandl-shared[web]`.
"""

from __future__ import annotations

import hmac
import json
import logging
import math
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from fastapi.security import APIKeyHeader
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gandl_shared.errors import Full, GandlError, Invalid, Malformed, Problem, Unauthorized, Unavailable, raise_if
from gandl_shared.schemas.screen import ErrorBody

REQUEST_ID = "X-Request-ID"
API_KEY = "X-API-Key"

_log = logging.getLogger("gandl.web")
_KEY_SCHEME = APIKeyHeader(name=API_KEY, auto_error=False, description="Needed where the service has a key.")
_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Check = Callable[[], str | None]
"""None where a part is ready, else why not."""


@dataclass(frozen=True)
class Part:
    """One service as an application mounts it; `lifespan` spans all its requests."""

    name: str
    router: APIRouter
    ready: Check
    lifespan: Callable[[], AbstractAsyncContextManager[None]]


class Health(BaseModel):
    """State of an application and of each part of it."""

    status: str
    parts: Mapping[str, str]


def build_app(
    title: str, parts: Sequence[Part], *, registry: CollectorRegistry, version: str, description: str = ""
) -> FastAPI:
    """One application that answers for all `parts`, with /health, /metrics and /docs; `registry` holds its metrics."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in parts:
                await stack.enter_async_context(part.lifespan())
            yield

    app = FastAPI(
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
        redoc_url=None,
        dependencies=[Depends(_only_known_parameters)],
    )
    app.add_middleware(_Requests, registry=registry)
    app.add_exception_handler(GandlError, _answer_gandl)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unexpected)
    for part in parts:
        app.include_router(part.router)
    app.include_router(_operations({part.name: part.ready for part in parts}, registry))
    return app


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:  # Any: FastAPI's own type for `responses`
    """The `responses` of a route that may answer these statuses with ErrorBody."""
    return {status: {"model": ErrorBody, "description": HTTPStatus(status).phrase} for status in statuses}


def key_required(api_key: str | None) -> Callable[[str | None], None]:
    """A dependency that refuses requests without this key (header X-API-Key); None lets everybody in."""

    def check(given: Annotated[str | None, Security(_KEY_SCHEME)] = None) -> None:
        if api_key is None:
            return
        if given is None:
            raise Unauthorized(f"this service needs a key; send it in the header {API_KEY}")
        if not hmac.compare_digest(given.encode(), api_key.encode()):
            raise Unauthorized(f"the key in the header {API_KEY} is not one this service knows")

    return check


def error_response(error: GandlError, request_id: str | None) -> Response:
    """An error of the tree as the JSON, status and headers that every service answers."""
    headers = {REQUEST_ID: request_id} if request_id else {}
    if isinstance(error, Full | Unavailable):
        # RFC 9110 allows whole seconds only.
        headers["Retry-After"] = str(math.ceil(error.retry_after)) if isinstance(error, Full) else "1"
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = f'ApiKey header="{API_KEY}"'
    return _json_response(error.status, {**error.body(), "request_id": request_id}, headers)


def request_id(request: Request) -> str | None:
    """The id under which this request is logged; also in the answer's X-Request-ID."""
    value = getattr(request.state, "request_id", None)
    return value if isinstance(value, str) else None


async def _only_known_parameters(request: Request) -> None:
    """A misspelt name in the query is an error, not a filter that silently shows everything."""
    paths = request.app.openapi()["paths"]
    operation = paths.get(request.scope["route"].path_format, {}).get(request.method.lower())
    if operation is None:
        return
    known = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
    takes = f"takes {', '.join(known)}" if known else "takes none"
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    problems = [Problem(f"unknown parameter; this path {takes}", field=f"query.{name}") for name in unknown]
    raise_if(problems, Invalid, "the request does not fit")


def _operations(checks: Mapping[str, Check], registry: CollectorRegistry) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/health/live", summary="The process answers")
    async def live() -> Health:
        return Health(status="live", parts=dict.fromkeys(checks, "live"))

    @router.get("/health/ready", summary="Every part can do its work", responses=error_responses(503))
    async def ready() -> Health:
        states = {name: check() for name, check in checks.items()}
        missing = [f"{name}: {why}" for name, why in states.items() if why]
        if missing:
            raise Unavailable("not ready: " + "; ".join(missing))
        return Health(status="ready", parts=dict.fromkeys(states, "ready"))

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


class _Requests:
    """Gives every request an id (the client's own if it is a plain token), counts it and takes its time."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        names = ["method", "route", "status"]
        self._count = Counter("gandl_http_requests", "Requests answered", names, registry=registry)
        self._seconds = Histogram("gandl_http_request_seconds", "Time to answer", ["route"], registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = identity
        status, start = 500, time.perf_counter()

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [
                    pair for pair in message.get("headers", []) if pair[0].lower() != REQUEST_ID.lower().encode()
                ]
                message["headers"] = [*headers, (REQUEST_ID.encode(), identity.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        finally:
            # The template, not the path: ids in paths must not make a time series each.
            route = getattr(scope.get("route"), "path", "unmatched")
            self._count.labels(scope["method"] if route != "unmatched" else "any", route, str(status)).inc()
            self._seconds.labels(route).observe(time.perf_counter() - start)


def _request_id(scope: Scope) -> str:
    headers = dict(scope["headers"])
    given = headers.get(REQUEST_ID.lower().encode(), b"").decode("latin-1")
    return given if _GOOD_ID.fullmatch(given) else uuid.uuid4().hex


async def _answer_gandl(request: Request, error: Exception) -> Response:
    assert isinstance(error, GandlError)
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request %s: %s", request_id(request), error.detail, exc_info=error)
    return error_response(error, request_id(request))


async def _answer_validation(request: Request, error: Exception) -> Response:
    """FastAPI's findings: a body that is no JSON is malformed, a value that does not fit is invalid."""
    assert isinstance(error, RequestValidationError)
    findings = error.errors()
    problems = [Problem(str(f["msg"]), field=".".join(str(part) for part in f["loc"])) for f in findings]
    kind = Malformed if any(f["type"] == "json_invalid" for f in findings) else Invalid
    detail = "; ".join(str(problem) for problem in problems[:3])
    return error_response(kind(detail, problems=problems), request_id(request))


async def _answer_http(request: Request, error: Exception) -> Response:
    """Starlette's own: no such route, wrong method."""
    assert isinstance(error, HTTPException)
    name = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, HTTPStatus(error.status_code).name.title())
    detail = f"{error.detail}: {request.method} {request.url.path}"
    body: dict[str, object] = {
        "error": name.replace("_", ""),
        "detail": detail,
        "problems": [],
        "request_id": request_id(request),
    }
    return _json_response(error.status_code, body, dict(error.headers or {}))


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    """A fault of ours: logged with its traceback, told without it."""
    identity = request_id(request)
    _log.error("request %s failed", identity, exc_info=error)
    detail = "something failed inside the service; its log has the cause under this request id"
    body: dict[str, object] = {"error": "InternalError", "detail": detail, "problems": [], "request_id": identity}
    return _json_response(500, body, {REQUEST_ID: identity} if identity else {})


def _json_response(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    # Escaped to ASCII: a file name in a detail may hold what UTF-8 cannot encode.
    return Response(json.dumps(body), status_code=status, headers=dict(headers), media_type="application/json")
