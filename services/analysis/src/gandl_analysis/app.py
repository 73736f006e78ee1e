"""The analysis service as an application: settings read once, database and store opened when it starts.

Run it with `uvicorn --factory gandl_analysis.app:build`. It only answers; analyses run in the worker of `tasks`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI
from gandl_shared.db import Database
from gandl_shared.errors import GandlError, Unavailable
from gandl_shared.jobs import Queue
from gandl_shared.jobs.broker import CeleryQueue, make_app
from gandl_shared.store import Store
from gandl_shared.web.app import Part, build_app, key_required
from prometheus_client import CollectorRegistry
from starlette.concurrency import run_in_threadpool

from gandl_analysis.api.bodies import BoundedRoute
from gandl_analysis.api.compounds import CompoundRoutes
from gandl_analysis.api.provider import Services
from gandl_analysis.api.results import ResultRoutes
from gandl_analysis.api.screens import ScreenRoutes
from gandl_analysis.pages.reader import PageReader
from gandl_analysis.pages.routes import build_pages
from gandl_analysis.service.models import EmbeddingModels
from gandl_analysis.service.results import Results
from gandl_analysis.service.submissions import Intake, Models, Screens
from gandl_analysis.settings import Settings

_ABOUT = (
    "Plate jobs in, efficacies, dose-response curves, assay quality and ranked compounds out. A screen is submitted, "
    "its progress watched, and its stored results read; nothing is computed while a client waits."
)


class AnalysisService:
    """What lives as long as the application. `queue` and `models` can be given instead of those of the settings."""

    def __init__(self, settings: Settings, queue: Queue | None = None, models: Models | None = None) -> None:
        self._settings = settings
        self._queue = queue
        self._models = models or EmbeddingModels(settings)
        self._database: Database | None = None
        self._services: Services | None = None

    def services(self) -> Services:
        """The open parts. Raises Unavailable before the start and after the end."""
        if self._services is None:
            raise Unavailable("the analysis service is starting or stopping; try again in a moment")
        return self._services

    def ready(self) -> str | None:
        """Why the service cannot work now, or None."""
        if self._database is None:
            return "starting"
        try:
            self._database.waiting()
        except GandlError as error:
            return error.detail
        return None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the database and the store; close them at the end."""
        database = await run_in_threadpool(Database.connect, self._settings.database_url)
        self._database, self._services = database, self._opened(database)
        try:
            yield
        finally:
            self._database = self._services = None
            database.close()

    def _opened(self, database: Database) -> Services:
        settings = self._settings
        store = Store(settings.store)
        intake = Intake(settings.image_root, self._models, settings.max_headers)
        queue = self._queue or CeleryQueue(make_app(settings.broker_url))
        screens = Screens(database, store, queue, intake)
        return Services(settings, screens, Results(database, store, cached=settings.cached_results))


def router(service: AnalysisService, api_key: str | None) -> APIRouter:
    """All routes, asking for the key where there is one."""
    routes = APIRouter(dependencies=[Depends(key_required(api_key))])
    screens = APIRouter(tags=["screens"], route_class=BoundedRoute)
    results, compounds = APIRouter(tags=["results"]), APIRouter(tags=["compounds"])
    ScreenRoutes(service.services).add_to(screens)
    ResultRoutes(service.services).add_to(results)
    CompoundRoutes(service.services).add_to(compounds)
    for routes_of_one in (screens, results, compounds, build_pages(PageReader(service.services))):
        routes.include_router(routes_of_one)
    return routes


def part(
    settings: Settings, registry: CollectorRegistry, *, queue: Queue | None = None, models: Models | None = None
) -> Part:
    """The service as a part of a larger application."""
    service = AnalysisService(settings, queue, models)
    key = settings.api_key.get_secret_value() if settings.api_key else None
    return Part("analysis", router(service, key), service.ready, service.running)


def build(settings: Settings | None = None, *, queue: Queue | None = None, models: Models | None = None) -> FastAPI:
    """The application; settings from the environment where none are given."""
    registry = CollectorRegistry()
    parts = [part(settings or Settings(), registry, queue=queue, models=models)]
    return build_app("gandl analysis", parts, registry=registry, version=version("gandl-analysis"), description=_ABOUT)
