"""The pages under /ui, one module for each page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from gandl_analysis.pages import compounds, report, screens
from gandl_analysis.pages.frame.answers import base_path
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.static_files import build_static_files
from gandl_analysis.pages.overviews import curves, downloads, plates


def build_pages(reader: ScreenReader) -> APIRouter:
    """Return the router of the pages that only read screens, and of their files."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def redirect_to_pages(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{base_path(request)}/ui/")

    pages.include_router(build_static_files())
    for group in (screens, compounds, plates, curves, downloads, report):
        pages.include_router(group.router(reader))
    return pages
