"""The page of what can be taken along from a screen."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gandl_analysis.formats.exports.catalog import EXPORTS
from gandl_analysis.formats.exports.notebook import notebook_cell
from gandl_analysis.pages.frame.answers import page_router, render_page
from gandl_analysis.pages.frame.queries import PageVersion
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.screen_frame import Tab, framed_analysis
from gandl_analysis.pages.overviews.plate_view import plates_of
from gandl_analysis.report.quantities import quantities


def router(reader: ScreenReader) -> APIRouter:
    """Return the route of the downloads."""
    routes = page_router()

    @routes.get("/screens/{screen_id}/downloads")
    def show_downloads(request: Request, screen_id: str, version: PageVersion = None) -> HTMLResponse:
        """Every export as a link, with a choice where an export takes one."""
        framed = framed_analysis(request, reader, screen_id, version, Tab.DOWNLOADS)
        analysis, frame = framed.analysis, framed.frame
        choices = {
            "plate": plates_of(analysis),
            "cell_line": tuple(dict.fromkeys(well.cell_line for well in analysis.wells if well.cell_line)),
            "compound": sorted({curve.compound for curve in analysis.curves}, key=str.casefold),
        }
        return render_page(
            "downloads.html",
            base=frame.base,
            frame=frame,
            exports=[(export, export.lack(analysis)) for export in EXPORTS],
            quantities=quantities(analysis),
            choices=choices,
            cell=notebook_cell(str(request.base_url).rstrip("/"), frame.status.id, frame.version),
        )

    return routes
