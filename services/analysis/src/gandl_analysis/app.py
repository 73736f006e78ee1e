"""The analysis service as an application: settings are read once, the database and the store are opened at its start.

Run it with `uvicorn --factory gandl_analysis.app:build`. It only answers; analyses run in the worker of `tasks`.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import Depends, FastAPI
from gandl_shared.db import Database
from gandl_shared.errors import Unavailable
from gandl_shared.jobs import Queue
from gandl_shared.jobs.broker import CeleryQueue, make_app
from gandl_shared.store import Store
from gandl_shared.web.app import Part, build_app
from gandl_shared.web.requests.access import Access, require_access
from prometheus_client import CollectorRegistry
from starlette.concurrency import run_in_threadpool

from gandl_analysis.api import compounds, decisions, exports, pictures, results, screens, tables
from gandl_analysis.api.metrics import WorkMetrics
from gandl_analysis.api.provider import Provider, Services
from gandl_analysis.pages.forms import sign_in
from gandl_analysis.pages.forms.routes import add_forms
from gandl_analysis.pages.frame.environment import compile_templates
from gandl_analysis.pages.frame.reader import ServiceReader
from gandl_analysis.pages.routes import add_pages
from gandl_analysis.service.analyses.decisions import Decisions
from gandl_analysis.service.analyses.warm_up import WarmUp
from gandl_analysis.service.intake.desk import Intake
from gandl_analysis.service.intake.uploads import Uploads
from gandl_analysis.service.models import EmbeddingServiceModels, ModelCatalog
from gandl_analysis.service.pixels.pictures import Pictures
from gandl_analysis.service.results import Results
from gandl_analysis.service.submissions import SubmissionRules, Submissions
from gandl_analysis.settings import Settings

_DESCRIPTION = (
    "Plate jobs in, efficacies, dose-response curves, assay quality and ranked compounds out. A screen is submitted, "
    "its progress watched, and its stored results read; nothing is computed while a client waits."
)


class AnalysisService:
    """What lives as long as the application. Tests and the embedded stack can give their own `queue` and `models`."""

    def __init__(self, settings: Settings, queue: Queue | None = None, models: ModelCatalog | None = None) -> None:
        self._settings = settings
        self._queue = queue
        self._models = models or EmbeddingServiceModels(settings)
        self._database: Database | None = None
        self._store: Store | None = None
        self._services: Services | None = None

    def services(self) -> Services:
        """Return the open parts. Raises Unavailable before the start and after the end."""
        if self._services is None:
            raise Unavailable("the analysis service is starting or stopping; try again in a moment")
        return self._services

    @property
    def database(self) -> Database | None:
        """The open database, or None before the start and after the end."""
        return self._database

    def ready(self) -> str | None:
        """Return why the service cannot work now, or None if it can."""
        if self._database is None or self._store is None:
            return "starting"
        # A query shows that the database answers; an open pool does not. A full disk takes no submission and no result.
        return self._database.trouble() or self._store.trouble()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the database and the store, and close them at the end."""
        # Connecting may run migrations and wait for another process that does.
        database = await run_in_threadpool(Database.connect, self._settings.database)
        await run_in_threadpool(compile_templates)
        store = Store(self._settings.store)
        services = self._open(database, store)
        self._database, self._store, self._services = database, store, services
        warm_up = WarmUp(database, store, services.results, max_screens=self._settings.cached_results)
        # Modules and templates stay as long as the process. The garbage collector need not look at them again whenever
        # a large analysis is read, which takes longer than the reading.
        gc.freeze()
        warm_up.start()
        try:
            yield
        finally:
            self._database = self._store = self._services = None
            await run_in_threadpool(warm_up.stop)
            gc.unfreeze()
            database.close()

    def _open(self, database: Database, store: Store) -> Services:
        settings = self._settings
        store.prepare()
        rules = SubmissionRules(image_root=settings.image_root, models=self._models, max_headers=settings.max_headers)
        queue = self._queue or CeleryQueue(make_app(settings.broker))
        return Services(
            settings=settings,
            submissions=Submissions(database, store, queue, rules),
            results=Results(database, store, cached=settings.cached_results),
            decisions=Decisions(database, store, queue, self._models),
            intake=Intake(
                image_root=settings.image_root,
                models=self._models,
                uploads=Uploads(image_root=settings.image_root, max_bytes=settings.max_upload_mb * 1_000_000),
                database=database,
                store=store,
                queue=queue,
            ),
            pictures=Pictures(database, store, settings.image_root),
        )


def add_routes(app: FastAPI, services: Provider, settings: Settings) -> None:
    """Add all routes of the service; they demand a key of the settings, or a session, if there is one."""
    access = Access.of_keys(settings.api_key, settings.reader_key)
    # Whoever signs in has no key yet.
    app.include_router(sign_in.router(access))
    for group in (screens, tables, results, exports, decisions, compounds, pictures):
        app.include_router(group.router(services), dependencies=[Depends(require_access(access))])
    page_access = [Depends(require_access(access, pages=True))]
    add_pages(app, ServiceReader(services), services, dependencies=page_access)
    add_forms(app, services, dependencies=page_access)


def part(
    settings: Settings,
    *,
    registry: CollectorRegistry | None = None,
    queue: Queue | None = None,
    models: ModelCatalog | None = None,
) -> Part:
    """Return the service as a part of a larger application, whose `registry` gets the counts of its work."""
    service = AnalysisService(settings, queue, models)
    if registry is not None:
        registry.register(WorkMetrics(lambda: service.database))
    return Part(
        name="analysis",
        add_routes=partial(add_routes, services=service.services, settings=settings),
        ready=service.ready,
        lifespan=service.running,
    )


def build(
    settings: Settings | None = None, *, queue: Queue | None = None, models: ModelCatalog | None = None
) -> FastAPI:
    """Return the application; settings come from the environment unless they are given."""
    settings = settings or Settings()
    registry = CollectorRegistry()
    parts = [part(settings, registry=registry, queue=queue, models=models)]
    return build_app(
        "gandl analysis",
        parts,
        registry=registry,
        version=version("gandl-analysis"),
        description=_DESCRIPTION,
        root_path=settings.root_path,
    )
