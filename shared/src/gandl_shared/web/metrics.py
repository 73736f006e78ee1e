"""Prometheus metrics of requests, and the route that shows all metrics of an application."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gandl_shared.web.query import NO_QUERY

_BOUNDS = Histogram.DEFAULT_BUCKETS
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Durations(Collector):
    """A histogram of seconds that one thread fills, such as that of an event loop.

    It counts in a fifth of the time of the one in `prometheus_client`, which locks each number for other threads.
    """

    def __init__(self, name: str, documentation: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._series: dict[tuple[str, ...], _Series] = {}
        registry.register(self)

    def labels(self, *values: str) -> Callable[[float], None]:
        """Return the function that counts seconds in the series of these values of the labels."""
        return self._series.setdefault(values, _Series()).observe

    def describe(self) -> Iterable[Metric]:
        """Return the metric without its series."""
        return [HistogramMetricFamily(self._name, self._documentation, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        """Return the metric."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        for values, series in self._series.items():
            family.add_metric(values, series.buckets(), series.total)
        return [family]


class _Series:
    """The numbers of observations in each bucket, and their sum."""

    def __init__(self) -> None:
        self.total = 0.0
        self._counts = [0] * len(_BOUNDS)

    def observe(self, seconds: float) -> None:
        """Count an observation."""
        self._counts[bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return the number of observations up to each bound."""
        return list(zip(map(floatToGoString, _BOUNDS), accumulate(self._counts), strict=True))


class RequestCounts:
    """The numbers of answers by method, route and status, and how long each route takes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["method", "route", "status"]
        self._count = Counter("gandl_http_requests", "Requests answered", labels, registry=registry)
        self._seconds = Durations("gandl_http_request_seconds", "Time to answer", ["route"], registry)
        # The series of a route, because looking them up by their labels takes longer than counting.
        self._series: dict[tuple[str, str, int], tuple[Counter, Callable[[float], None]]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        series = self._series.get((method, route, status))
        if series is None:
            series = self._count.labels(method, route, str(status)), self._seconds.labels(route)
            self._series[method, route, status] = series
        series[0].inc()
        series[1](seconds)


class RequestMetrics:
    """Middleware that counts the requests of each route and measures how long they take."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app, self._counts = app, counts

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
        self._counts.observe(method, route, status, seconds)


def metrics_router(registry: CollectorRegistry) -> APIRouter:
    """Return the route /metrics over a registry."""
    router = APIRouter(tags=["operations"], dependencies=[NO_QUERY])

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
