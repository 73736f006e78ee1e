"""The message of the queue is the id of an analysis."""

from __future__ import annotations

from gandl_analysis import tasks
from gandl_shared.jobs.broker import RUN_ANALYSIS, make_app


class RecordingRuns:
    """Stands for AnalysisRuns and remembers which analyses were to be run."""

    def __init__(self) -> None:
        self.ids: list[int | None] = []

    def run(self, analysis_id: int | None = None) -> bool:
        self.ids.append(analysis_id)
        return True


def test_the_task_runs_the_analysis_of_its_message() -> None:
    celery, runs = make_app("memory://"), RecordingRuns()
    tasks.register(celery, runs)  # type: ignore[arg-type]
    celery.tasks[RUN_ANALYSIS].apply(args=[7]).get()
    assert runs.ids == [7]
