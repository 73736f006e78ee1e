"""Prometheus metrics of requests, and the route that shows all metrics of an application."""

from __future__ import annotations

import time

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gandl_shared.web.query import NO_QUERY

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Middleware that counts the requests of each route and measures how long they take."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ["method", "route", "status"]
        self._count = Counter("gandl_http_requests", "Requests answered", labels, registry=registry)
        self._seconds = Histogram("gandl_http_request_seconds", "Time to answer", ["route"], registry=registry)
        # The series of a route, because looking them up by their labels takes longer than counting.
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # An exception that no handler answers ends as 500 outside of this middleware.
        status, start = 500, time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._observe(scope, status, time.perf_counter() - start)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        # The label is the template of the path, because each id in a path would become a time series of its own.
        route = getattr(scope.get("route"), "path", "unmatched")
        # Scanners send any text as a method, and each would become a time series.
        method = scope["method"] if route != "unmatched" and scope["method"] in _METHODS else "any"
        series = self._series.get((method, route, status))
        if series is None:
            series = self._count.labels(method, route, str(status)), self._seconds.labels(route)
            self._series[method, route, status] = series
        series[0].inc()
        series[1].observe(seconds)


def metrics_router(registry: CollectorRegistry) -> APIRouter:
    """Return the route /metrics over a registry."""
    router = APIRouter(tags=["operations"], dependencies=[NO_QUERY])

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
