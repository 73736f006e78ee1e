"""The work that a message of the queue `batches` starts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from gandl_shared.db import Database, FinishedBatch
from gandl_shared.files.traces import span
from gandl_shared.jobs import Queue, worker_name
from gandl_shared.models import Embedder
from gandl_shared.store import Store

from gandl_worker import screens

Embedders = Callable[[str], AbstractContextManager[Embedder]]
"""A function from the name of a model to its embedder, which is open while a `with` block runs."""


@dataclass(frozen=True, kw_only=True)
class WorkerService:
    """The parts that a batch needs."""

    db: Database
    store: Store
    queue: Queue
    embedders: Embedders
    lease_seconds: float

    def run_batch(self, batch_id: int) -> FinishedBatch | None:
        """Run this batch, or the oldest that waits if another worker has it; return None if there is none.

        The analysis is announced if this was the last batch of its screen.
        """
        name, seconds = worker_name(), self.lease_seconds
        lease = self.db.batches.lease(name, seconds, batch_id=batch_id) or self.db.batches.lease(name, seconds)
        if lease is None:
            return None
        batch = span("batch", screen=lease.screen_id, batch=lease.number, sites=len(lease.sites))
        with batch, self.embedders(lease.model.name) as embedder:
            finished = screens.run_batch(self.db, self.store, embedder, lease, seconds=seconds)
        if finished.analysis_id is not None:
            self.queue.analysis_ready(finished.analysis_id)
        return finished
