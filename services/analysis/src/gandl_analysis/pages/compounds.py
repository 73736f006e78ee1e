"""The page of a compound in a screen."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from gandl_shared.errors import NotFound

from gandl_analysis.pages.frame.answers import page_router, render_page
from gandl_analysis.pages.frame.queries import PageVersion
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.screen_frame import Tab, framed_analysis
from gandl_analysis.report.drawings import draw_curve

LARGE_CURVE = (7.4, 4.2)
"""Inches of a curve on its own page."""


def router(reader: ScreenReader) -> APIRouter:
    """Return the route of the page of a compound."""
    routes = page_router()

    @routes.get("/screens/{screen_id}/compounds/{compound:path}")
    def show_compound(request: Request, screen_id: str, compound: str, version: PageVersion = None) -> HTMLResponse:
        """One compound: a large curve, the parameters and the doses for each cell line."""
        framed = framed_analysis(request, reader, screen_id, version, Tab.REPORT)
        curves = [curve for curve in framed.analysis.curves if curve.compound == compound]
        if not curves:
            raise NotFound(f"screen {screen_id} has no curve of the compound {compound!r}")
        return render_page(
            "compound.html",
            base=framed.frame.base,
            frame=framed.frame,
            compound=compound,
            curves=[(curve, draw_curve(curve, f"curve-{k}", LARGE_CURVE)) for k, curve in enumerate(curves)],
        )

    return routes
