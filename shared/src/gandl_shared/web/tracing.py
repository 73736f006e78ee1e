"""A span for every request, which continues the trace of its client."""

from __future__ import annotations

from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gandl_shared.files.traces import span

_SERVER_FAULT = 500
_WATCHED = ("/health/", "/metrics")
"""What platforms ask for every few seconds would hide the requests of users."""


class Tracing:
    """Middleware that records each request as a span with its route and status, but for health and metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_WATCHED):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"]
        with span(method, kind=SpanKind.SERVER, headers=headers) as current:
            current.set_attribute("http.request.method", method)

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    current.set_attribute("http.response.status_code", status)
                    if status >= _SERVER_FAULT:
                        current.set_status(StatusCode.ERROR)
                await send(message)

            await self._app(scope, receive, send_and_note)
            # The path would put ids of screens into names, so the template of the route is used where there is one.
            if (route := getattr(scope.get("route"), "path", None)) is not None:
                current.update_name(f"{method} {route}")
                current.set_attribute("http.route", route)
