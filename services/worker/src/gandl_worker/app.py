"""Putting the worker together from its settings."""

from __future__ import annotations

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
    """A worker that is ready to start. `celery` may be given further tasks before (`gandl up` does)."""

    settings: Settings
    celery: Celery
    db: Database

    def serve(self, *further_queues: str) -> None:
        """Work until SIGTERM or SIGINT."""
        s = self.settings
        queues = (BATCHES, *further_queues)
        serve(self.celery, self.db, queues, concurrency=s.concurrency, sweep_seconds=s.sweep_seconds)


def build(settings: Settings | None = None, embedders: Embedders | None = None) -> Worker:
    """A worker from the environment; `embedders` instead of the embedding service is for tests.

    Raises Unavailable where the database does not answer. Broker and embedding service may come later.
    """
    settings = settings or Settings()
    db = Database.connect(settings.database_url, max_attempts=settings.attempts)
    celery = make_app(settings.broker_url)
    queue = CeleryQueue(celery)
    chosen = embedders or _clients(settings)
    tasks.register(celery, WorkerService(db, Store(settings.store), queue, chosen, settings.lease_seconds))
    return Worker(settings, celery, db)


def _clients(settings: Settings) -> Embedders:
    def client(model: str) -> EmbeddingClient:
        """A new one a batch: it sees at once that a service was restarted with another model."""
        return EmbeddingClient(settings.embedding_url, model=model, api_key=settings.embedding_key)

    return client
