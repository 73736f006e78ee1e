"""The process that runs analyses: `python -m gandl_analysis.worker`. It has the settings of the service."""

from __future__ import annotations

import logging

from gandl_shared.db import Database
from gandl_shared.jobs.broker import ANALYSIS, make_app
from gandl_shared.jobs.worker import serve
from gandl_shared.store import Store

from gandl_analysis import tasks
from gandl_analysis.service.models import EmbeddingServiceModels
from gandl_analysis.service.runs import AnalysisRuns
from gandl_analysis.settings import Settings


def analysis_runs(settings: Settings, database: Database) -> AnalysisRuns:
    """Return what the task calls, for this worker or for one that works on both queues."""
    return AnalysisRuns(
        draws_ahead=True,
        database=database,
        store=Store(settings.store),
        models=EmbeddingServiceModels(settings),
        lease_seconds=settings.analysis_lease_seconds,
    )


def run(settings: Settings | None = None) -> None:
    """Work until SIGTERM or SIGINT. Raises Unavailable if the database does not answer; the broker may start later."""
    settings = settings or Settings()
    database = Database.connect(settings.database)
    celery = make_app(settings.broker)
    tasks.register(celery, analysis_runs(settings, database))
    # One analysis at a time, because each uses all cores through BLAS.
    serve(celery, database, (ANALYSIS,), concurrency=1, heartbeat=settings.heartbeat)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run()
