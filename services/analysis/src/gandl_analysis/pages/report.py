"""A screen: its report, or its progress while there is none."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from gandl_shared.schemas.curve import CurveAssessment
from gandl_shared.web.requests.access import session_of_request

from gandl_analysis.api.provider import Provider, Services
from gandl_analysis.figures.pixels.strips import Strips
from gandl_analysis.pages.frame.answers import base_path, html_answer, page_router
from gandl_analysis.pages.frame.environment import environment
from gandl_analysis.pages.frame.progress import RUNNING_STATES, progress_text
from gandl_analysis.pages.frame.queries import PageVersion
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.screen_frame import FramedAnalysis, Tab, framed_analysis, may_edit
from gandl_analysis.pages.report_cache import ReportCache, ReportKey
from gandl_analysis.report.drawings import StoredDrawings
from gandl_analysis.report.render import NO_STRIPS, report_context
from gandl_analysis.service.pixels.pictures import stored_strips
from gandl_analysis.service.results import StoredAnalysis


def router(reader: ScreenReader, services: Provider | None = None) -> APIRouter:
    """Return the route of a screen; without services there are no tiles under its curves."""
    routes = page_router()
    # One cache per application: its entries hold rendered text of that application's screens.
    reports = ReportCache()

    @routes.get("/screens/{screen_id}")
    def show_screen(request: Request, screen_id: str, version: PageVersion = None) -> HTMLResponse:
        """The report of a screen, or its progress while there is none."""
        status, base = reader.status(screen_id), base_path(request)
        # A screen that is analysed again shows its progress, although older results exist; a version is its address.
        is_running = status.state in RUNNING_STATES
        if version is None and (is_running or status.analysis_version is None):
            return html_answer(progress_text(status, base, session_of_request(request)))
        # What people set changes without a new version of the analysis.
        assessments = () if services is None else services().results.screen_assessments(screen_id)
        key = ReportKey(
            base=base,
            screen_id=screen_id,
            version=version or status.analysis_version or 0,
            requested=version,
            state=status.state,
            error=status.error,
            newest=status.analysis_version,
            may_edit=may_edit(request),
            assessments=tuple(each.decision for each in assessments),
        )

        def draw() -> str:
            framed = framed_analysis(request, reader, screen_id, version, Tab.REPORT)
            strips = NO_STRIPS if services is None else _strips(services(), framed)
            return _report(framed, strips, reader.drawings(screen_id, framed.frame.version), assessments)

        return html_answer(reports.get(key, draw))

    return routes


def _report(
    framed: FramedAnalysis, strips: Strips, drawings: StoredDrawings | None, assessments: Sequence[CurveAssessment]
) -> str:
    frame = framed.frame
    context = report_context(
        framed.analysis, lambda curve: frame.compound_address(curve.compound), strips, drawings, assessments
    )
    return environment().get_template("screen.html").render(context | {"base": frame.base, "frame": frame})


def _strips(services: Services, framed: FramedAnalysis) -> Strips:
    stored = StoredAnalysis(framed.frame.status.id, framed.frame.version, framed.analysis)
    return stored_strips(services.results, services.pictures, stored)
