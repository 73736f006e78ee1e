"""The list of screens with their state and progress."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from gandl_shared.web.requests.access import session_of_request

from gandl_analysis.pages.frame.answers import base_path, page_router, render_page
from gandl_analysis.pages.frame.progress import RUNNING_STATES
from gandl_analysis.pages.frame.reader import ScreenReader


def router(reader: ScreenReader) -> APIRouter:
    """Return the route of the list."""
    routes = page_router()

    @routes.get("")
    def redirect_to_screens(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{base_path(request)}/ui/")

    @routes.get("/")
    def show_screens(request: Request) -> HTMLResponse:
        """All screens with their state and progress."""
        screens = reader.screens()
        is_running = any(screen.state in RUNNING_STATES for screen in screens)
        session, access = session_of_request(request), getattr(request.state, "access", None)
        return render_page(
            "screens.html",
            base=base_path(request),
            screens=screens,
            is_running=is_running,
            session=session,
            needs_key=access is not None and not access.is_open,
        )

    return routes
