"""Build the application of a service from its parts.

A service is a `Part`: its routes, its readiness check and its lifespan. `build_app` makes one application of one part
(a container) or of several (the embedded stack).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from gandl_shared.files.traces import is_recorded_by_others, is_tracing, start_tracing
from gandl_shared.web.docs import add_docs
from gandl_shared.web.errors import add_error_handlers
from gandl_shared.web.health import Readiness, health_router
from gandl_shared.web.metrics import RequestCounts, RequestMetrics, metrics_router
from gandl_shared.web.request_ids import RequestIds
from gandl_shared.web.requests.doorway import Application, Doorway
from gandl_shared.web.requests.hosts import HostNames, OwnHosts, hosts_of_environment
from gandl_shared.web.root_path import RootPath
from gandl_shared.web.tracing import Tracing


@dataclass(frozen=True, kw_only=True)
class Part:
    """One service as an application mounts it: `add_routes` adds its routes, and `lifespan` is open while the
    application runs.

    `direct` makes a program that sees every request before the application, and may answer some without it. It does
    for them what the middleware does, by the `Doorway`.
    """

    name: str
    add_routes: Callable[[FastAPI], None]
    ready: Readiness
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    direct: Callable[[ASGIApp, Doorway], ASGIApp] | None = None


def build_app(
    title: str,
    parts: Sequence[Part],
    *,
    registry: CollectorRegistry,
    version: str,
    description: str = "",
    root_path: str = "",
    allowed_hosts: Collection[str] | None = None,
) -> FastAPI:
    """Return one application that answers for all `parts`, with /health, /metrics and /docs.

    `registry` holds the metrics of all parts. `root_path` is the path under which a proxy shows the application, such
    as `/gandl`; every address that it writes begins with it, whether the proxy passes the path on or cuts it off.
    `allowed_hosts` are the names under which it answers; None means those of GANDL_ALLOWED_HOSTS.
    """
    app = Application(
        title=title, version=version, description=description, lifespan=_lifespan(parts), redoc_url=None, docs_url=None
    )
    hosts, counts = hosts_of_environment() if allowed_hosts is None else allowed_hosts, RequestCounts(registry)
    app.add_middleware(RequestMetrics, counts=counts)
    app.add_middleware(OwnHosts, hosts=hosts)
    # The middleware that is added last is the outermost one, so that everything inside it knows the request id.
    app.add_middleware(RequestIds)
    app.outer = _outer(app, parts, Doorway(hosts=HostNames(hosts), counts=counts), root_path.rstrip("/"))
    add_error_handlers(app)
    for part in parts:
        part.add_routes(app)
    app.include_router(health_router({part.name: part.ready for part in parts}))
    app.include_router(metrics_router(registry))
    add_docs(app)
    return app


def _outer(app: Application, parts: Sequence[Part], doorway: Doorway, root_path: str) -> ASGIApp:
    """Return what sees every request before the middleware of an application."""
    outer: ASGIApp = app.inner
    # A program around gandl that records traces looks only at what FastAPI answers.
    if not is_recorded_by_others():
        for part in parts:
            if part.direct is not None:
                outer = part.direct(outer, doorway)
    # Without a collector, a request costs nothing more.
    start_tracing(app.title)
    if is_tracing():
        outer = Tracing(outer)
    return RootPath(outer, root_path=root_path) if root_path else outer


def _lifespan(parts: Sequence[Part]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in parts:
                await stack.enter_async_context(part.lifespan())
            yield

    return lifespan
