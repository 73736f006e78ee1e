"""The pages under /ui: the list of screens, a screen (its progress or its report) and a compound."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from gandl_shared.errors import NotFound
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import ScreenState, ScreenStatus

from gandl_analysis.pages.answers import PageRoute, base_path, html_answer, render_page
from gandl_analysis.pages.reader import ScreenReader
from gandl_analysis.pages.report_cache import ReportCache, ReportKey
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.drawings import draw_curve
from gandl_analysis.report.environment import environment
from gandl_analysis.report.render import report_context

RUNNING_STATES = (ScreenState.QUEUED, ScreenState.EMBEDDING, ScreenState.ANALYSING)
LARGE_CURVE = (7.4, 4.2)
"""Inches of a curve on its own page."""


def build_pages(reader: ScreenReader) -> APIRouter:
    """Return the router of the pages. They answer HTML for errors too, and they are no part of the specification."""
    router = APIRouter(prefix="/ui", include_in_schema=False, route_class=PageRoute)
    # One cache per application: its entries hold rendered text of that application's screens.
    reports = ReportCache()

    @router.get("")
    def redirect_to_screens(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{base_path(request)}/ui/")

    @router.get("/")
    def show_screens(request: Request) -> HTMLResponse:
        """All screens with their state and progress."""
        screens = reader.screens()
        is_running = any(screen.state in RUNNING_STATES for screen in screens)
        return render_page("screens.html", base=base_path(request), screens=screens, is_running=is_running)

    @router.get("/screens/{screen_id}")
    def show_screen(request: Request, screen_id: str) -> HTMLResponse:
        """The report of a screen, or its progress while there is none."""
        status, base = reader.status(screen_id), base_path(request)
        # A screen that is analysed again shows its progress, although an older result exists.
        is_running = status.state in RUNNING_STATES
        if is_running or status.analysis_version is None:
            return render_page("progress.html", base=base, status=status, is_running=is_running)
        key = ReportKey(
            base=base,
            screen_id=screen_id,
            version=status.analysis_version,
            state=status.state,
            error=status.error,
        )
        return html_answer(reports.get(key, lambda: _report(reader.analysis(screen_id), base, status)))

    @router.get("/screens/{screen_id}/compounds/{compound:path}")
    def show_compound(request: Request, screen_id: str, compound: str) -> HTMLResponse:
        """One compound: a large curve, the parameters and the doses for each cell line."""
        analysis = reader.analysis(screen_id)
        curves = [curve for curve in analysis.curves if curve.compound == compound] if analysis else []
        if analysis is None or not curves:
            raise NotFound(f"screen {screen_id} has no curve of the compound {compound!r}")
        return render_page(
            "compound.html",
            base=base_path(request),
            screen_id=screen_id,
            screen_name=analysis.provenance.screen_name,
            compound=compound,
            curves=[(curve, draw_curve(curve, f"curve-{k}", LARGE_CURVE)) for k, curve in enumerate(curves)],
        )

    return router


def _report(analysis: ScreenAnalysis | None, base: str, status: ScreenStatus) -> str:
    if analysis is None:
        raise NotFound(f"screen {status.id} has no analysis yet")
    context = report_context(analysis, lambda curve: _compound_address(base, status.id, curve))
    return environment().get_template("screen.html").render(context | {"base": base, "status": status})


def _compound_address(base: str, screen_id: str, curve: Curve) -> str:
    return f"{base}/ui/screens/{quote(screen_id, safe='')}/compounds/{quote(curve.compound, safe='')}"
