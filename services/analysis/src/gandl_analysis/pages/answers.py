"""Answers as HTML: a rendered template with security headers, and the errors of our tree as pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from gandl_shared.errors import GandlError

from gandl_analysis.report.environment import environment

_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}


class PageRoute(APIRoute):
    """A route whose errors are pages instead of JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route with errors caught. (`Any` is starlette's type of a coroutine.)"""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            # Only errors of our tree have a text for users; all others become the 500 of the application.
            try:
                return await handler(request)
            except GandlError as error:
                return render_page("error.html", status_code=error.status, base=base_path(request), error=error)

        return handle


def render_page(template: str, *, status_code: int = 200, **context: object) -> HTMLResponse:
    """Return a template of `report/templates` as an answer."""
    return html_answer(environment().get_template(template).render(context), status_code)


def html_answer(text: str, status_code: int = 200) -> HTMLResponse:
    """Return HTML as an answer that no other site can frame and that tells no other site where the reader came from."""
    return HTMLResponse(text, status_code, headers=_HEADERS)


def base_path(request: Request) -> str:
    """Return the path at which the application is mounted, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")
