"""The pages under /ui. They read through a small protocol, so that any store of screens can stand behind them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from threading import Lock
from typing import Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from gandl_shared.errors import GandlError, NotFound
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import ScreenState, ScreenStatus

from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.environment import environment
from gandl_analysis.report.render import curve_figure, report_context

RUNNING = (ScreenState.QUEUED, ScreenState.EMBEDDING, ScreenState.ANALYSING)
KEPT_PAGES = 8
LARGE = (7.4, 4.2)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}


class ScreenReader(Protocol):
    """What the pages need to know; called from worker threads."""

    def screens(self) -> Sequence[ScreenStatus]:
        """All screens, newest first."""

    def status(self, screen_id: str) -> ScreenStatus:
        """One screen as it is now. Raises NotFound."""

    def analysis(self, screen_id: str) -> ScreenAnalysis | None:
        """The newest stored analysis, None before the first. Raises NotFound."""


def build_pages(reader: ScreenReader) -> APIRouter:
    """The router of `/ui/`, `/ui/screens/{id}` and `/ui/screens/{id}/compounds/{compound}`; HTML, also for errors."""
    router = APIRouter(
        prefix="/ui", include_in_schema=False, route_class=_PageRoute, default_response_class=HTMLResponse
    )
    pages = _Pages(reader)
    router.add_api_route("", _to_list, methods=["GET"], response_model=None)
    router.add_api_route("/", pages.screens, methods=["GET"], response_model=None)
    router.add_api_route("/screens/{screen_id}", pages.screen, methods=["GET"], response_model=None)
    router.add_api_route(
        "/screens/{screen_id}/compounds/{compound:path}", pages.compound, methods=["GET"], response_model=None
    )
    return router


class _Pages:
    """The three pages. A report takes seconds to draw, so the last ones are kept by screen and analysis version."""

    def __init__(self, reader: ScreenReader) -> None:
        self._reader = reader
        self._kept: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._lock = Lock()

    def screens(self, request: Request) -> HTMLResponse:
        """All screens with state and progress."""
        screens = self._reader.screens()
        running = any(s.state in RUNNING for s in screens)
        return _page("screens.html", base=_base(request), screens=screens, running=running)

    def screen(self, request: Request, screen_id: str) -> HTMLResponse:
        """The report of a screen, or how far it is."""
        status, base = self._reader.status(screen_id), _base(request)
        if status.state in RUNNING or status.analysis_version is None:
            return _page("progress.html", base=base, status=status, running=status.state in RUNNING)
        key = (base, screen_id, str(status.analysis_version), status.state, status.error or "")
        return _html(self._cached(key, lambda: self._report(base, status)))

    def compound(self, request: Request, screen_id: str, compound: str) -> HTMLResponse:
        """One compound: a large curve, parameters and doses for each cell line."""
        analysis = self._reader.analysis(screen_id)
        curves = [c for c in analysis.curves if c.compound == compound] if analysis else []
        if analysis is None or not curves:
            raise NotFound(f"screen {screen_id} has no curve of the compound {compound!r}")
        figures = [curve_figure(curve, f"curve-{k}", LARGE) for k, curve in enumerate(curves)]
        return _page(
            "compound.html",
            base=_base(request),
            screen_id=screen_id,
            screen_name=analysis.provenance.screen_name,
            compound=compound,
            curves=list(zip(curves, figures, strict=True)),
        )

    def _report(self, base: str, status: ScreenStatus) -> str:
        analysis = self._reader.analysis(status.id)
        if analysis is None:
            raise NotFound(f"screen {status.id} has no analysis yet")
        context = report_context(analysis, lambda curve: _compound_address(base, status.id, curve))
        return environment().get_template("screen.html").render(context | {"base": base, "status": status})

    def _cached(self, key: tuple[str, ...], make: Callable[[], str]) -> str:
        with self._lock:
            found = self._kept.get(key)
        if found is not None:
            return found
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT_PAGES:
                self._kept.popitem(last=False)
        return made


class _PageRoute(APIRoute):
    """Answers the errors of our tree as a page instead of JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, with errors caught. (`Any` is starlette's type of a coroutine.)"""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except GandlError as error:
                return _page("error.html", status_code=error.status, base=_base(request), error=error)

        return handle


def _to_list(request: Request) -> RedirectResponse:
    return RedirectResponse(f"{_base(request)}/ui/")


def _base(request: Request) -> str:
    """The path the application is mounted at, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _compound_address(base: str, screen_id: str, curve: Curve) -> str:
    return f"{base}/ui/screens/{quote(screen_id, safe='')}/compounds/{quote(curve.compound, safe='')}"


def _page(template: str, *, status_code: int = 200, **context: object) -> HTMLResponse:
    return _html(environment().get_template(template).render(context), status_code)


def _html(text: str, status_code: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status_code, headers=_HEADERS)
