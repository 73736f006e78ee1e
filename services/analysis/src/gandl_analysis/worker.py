"""`python -m gandl_analysis.worker`: the process that runs analyses, configured as the service is."""

from __future__ import annotations

import logging

from gandl_shared.db import Database
from gandl_shared.jobs.broker import ANALYSIS, make_app
from gandl_shared.jobs.worker import serve
from gandl_shared.store import Store

from gandl_analysis import tasks
from gandl_analysis.service.models import EmbeddingModels
from gandl_analysis.service.runs import AnalysisRuns
from gandl_analysis.settings import Settings


def analysis_runs(settings: Settings, database: Database) -> AnalysisRuns:
    """What the task calls, for this worker or for one that serves both queues."""
    seconds = settings.analysis_lease_seconds
    return AnalysisRuns(database, Store(settings.store), EmbeddingModels(settings), lease_seconds=seconds)


def run(settings: Settings | None = None) -> None:
    """Work until SIGTERM or SIGINT. Raises Unavailable where the database does not answer; the broker may be late."""
    settings = settings or Settings()
    database = Database.connect(settings.database_url)
    celery = make_app(settings.broker_url)
    tasks.register(celery, analysis_runs(settings, database))
    serve(celery, database, (ANALYSIS,), concurrency=1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run()
