"""The worker, built from its settings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from celery import Celery
from gandl_shared.clients.embedding import EmbeddingClient
from gandl_shared.db import Database
from gandl_shared.jobs.broker import BATCHES, CeleryQueue, make_app
from gandl_shared.jobs.worker import serve
from gandl_shared.store import Store

from gandl_worker import tasks
from gandl_worker.service import Embedders, WorkerService
from gandl_worker.settings import Settings


@dataclass(frozen=True)
class Worker:
    """A worker that is ready to start. `gandl up` adds further tasks to `celery` before the start."""

    settings: Settings
    celery: Celery
    db: Database

    def serve(self, *further_queues: str) -> None:
        """Work until SIGTERM or SIGINT."""
        s = self.settings
        queues = (BATCHES, *further_queues)
        serve(
            self.celery,
            self.db,
            queues,
            concurrency=s.concurrency,
            sweep_seconds=s.sweep_seconds,
            heartbeat=s.heartbeat,
        )


def build(settings: Settings | None = None, embedders: Embedders | None = None) -> Worker:
    """Build a worker from the environment. Tests give `embedders`, which replace the embedding service.

    Raises Unavailable if the database does not answer. The broker and the embedding service may start later.
    """
    settings = settings or Settings()
    db = Database.connect(settings.database, max_attempts=settings.attempts)
    celery = make_app(settings.broker)
    queue = CeleryQueue(celery)
    service = WorkerService(
        db=db,
        store=Store(settings.store),
        queue=queue,
        embedders=embedders or _clients(settings),
        lease_seconds=settings.lease_seconds,
    )
    tasks.register(celery, service)
    return Worker(settings, celery, db)


def _clients(settings: Settings) -> Embedders:
    """Return a function that gives each thread one client per model, whose connection stays open between batches."""
    own = threading.local()

    @contextmanager
    def client(model: str) -> Iterator[EmbeddingClient]:
        clients: dict[str, EmbeddingClient] = own.__dict__.setdefault("clients", {})
        if model not in clients:
            clients[model] = EmbeddingClient(settings.embedding_url, model=model, api_key=settings.embedding_key)
        # The service may have been restarted with another model since the last batch.
        clients[model].forget()
        yield clients[model]

    return client
