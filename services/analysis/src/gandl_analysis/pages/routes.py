"""The pages under /ui, one module for each page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastapi import APIRouter, FastAPI, Request
from fastapi.params import Depends
from fastapi.responses import RedirectResponse

from gandl_analysis.api.provider import Provider
from gandl_analysis.pages import report, screens
from gandl_analysis.pages.evidence import compounds, wells
from gandl_analysis.pages.frame.answers import PageRoute, base_path
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pages.frame.static_files import build_static_files
from gandl_analysis.pages.overviews import curves, downloads, over_time, plates, scatter


def add_pages(
    app: FastAPI, reader: ScreenReader, services: Provider | None = None, *, dependencies: Sequence[Depends] = ()
) -> None:
    """Add the pages with their `dependencies` to an application, and their files, which have none. Without services
    there are only the pages that read screens."""
    app.include_router(build_static_files())
    for router in _routers(reader, services):
        app.include_router(router, dependencies=dependencies, include_in_schema=False)


def _routers(reader: ScreenReader, services: Provider | None) -> Iterator[APIRouter]:
    """Yield the router of each page. A router of routers would be built once more for each of its levels."""
    root = APIRouter(route_class=PageRoute)

    @root.get("/")
    def redirect_to_pages(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{base_path(request)}/ui/")

    yield root
    for group in (screens, curves, downloads, over_time):
        yield group.router(reader)
    for group_with_services in (plates, report, compounds, scatter):
        yield group_with_services.router(reader, services)
    if services is not None:
        yield wells.router(reader, services)
