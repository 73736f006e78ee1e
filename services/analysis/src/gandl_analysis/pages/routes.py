"""The pages under /ui, one module for each page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from gandl_analysis.api.provider import Provider
from gandl_analysis.pages import report, screens
from gandl_analysis.pages.evidence import compounds, wells
from gandl_analysis.pages.frame.answers import PageRoute, base_path
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.static_files import build_static_files
from gandl_analysis.pages.overviews import curves, downloads, over_time, plates, scatter


def build_pages(reader: ScreenReader, services: Provider | None = None) -> APIRouter:
    """Return the router of the pages and of their files. Without services there are only those that read screens."""
    pages = APIRouter(include_in_schema=False, route_class=PageRoute)

    @pages.get("/")
    def redirect_to_pages(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{base_path(request)}/ui/")

    pages.include_router(build_static_files())
    for group in (screens, curves, downloads, over_time):
        pages.include_router(group.router(reader))
    pages.include_router(plates.router(reader, services))
    pages.include_router(report.router(reader, services))
    pages.include_router(compounds.router(reader, services))
    pages.include_router(scatter.router(reader, services))
    if services is not None:
        pages.include_router(wells.router(reader, services))
    return pages
