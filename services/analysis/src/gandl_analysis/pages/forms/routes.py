"""All pages with forms."""

from __future__ import annotations

from fastapi import APIRouter

from gandl_analysis.api.provider import Provider
from gandl_analysis.pages.forms import actions, comparison, decisions, new_screen


def build_forms(services: Provider) -> APIRouter:
    """Return the router of the pages that change something."""
    pages = APIRouter(include_in_schema=False)
    for group in (actions.router, comparison.router, decisions.router, new_screen.router):
        pages.include_router(group(services))
    return pages
