"""All pages with forms."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.params import Depends

from gandl_analysis.api.provider import Provider
from gandl_analysis.pages.forms import actions, comparison, decisions, new_screen


def add_forms(app: FastAPI, services: Provider, *, dependencies: Sequence[Depends]) -> None:
    """Add the pages that change something, with their `dependencies`, to an application."""
    for group in (actions.router, comparison.router, decisions.router, new_screen.router):
        app.include_router(group(services), dependencies=dependencies, include_in_schema=False)
