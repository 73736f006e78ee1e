"""The Celery task of the queue `analysis`."""

from __future__ import annotations

from celery import Celery
from gandl_shared.jobs.broker import RUN_ANALYSIS

from gandl_analysis.service.runs import AnalysisRuns


def register(app: Celery, runs: AnalysisRuns) -> None:
    """Add the task to an application. Its message is the id of an analysis."""

    # A shared task would be added to every other application of this process, with these runs.
    @app.task(name=RUN_ANALYSIS, shared=False)
    def run_analysis(analysis_id: int) -> None:
        runs.run(analysis_id)
