"""The Celery task of the worker."""

from __future__ import annotations

from celery import Celery
from gandl_shared.jobs.broker import RUN_BATCH

from gandl_worker.service import WorkerService


def register(app: Celery, service: WorkerService) -> None:
    """Add the task to an application. Its message is the id of a batch."""

    # A shared task would be added to every other application of this process, with this service.
    @app.task(name=RUN_BATCH, shared=False)
    def run_batch(batch_id: int) -> None:
        service.run_batch(batch_id)
