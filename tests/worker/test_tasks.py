"""The Celery task of the worker."""

from __future__ import annotations

from gandl_shared.jobs.broker import RUN_BATCH, make_app
from gandl_worker import tasks


class Recorder:
    """A service that records the batches that it should run."""

    def __init__(self) -> None:
        self.batch_ids: list[int] = []

    def run_batch(self, batch_id: int) -> None:
        self.batch_ids.append(batch_id)


def test_the_task_runs_the_batch_of_its_message() -> None:
    app, service = make_app("memory://"), Recorder()
    tasks.register(app, service)  # type: ignore[arg-type]  # the task needs no more of a service
    app.tasks[RUN_BATCH](7)
    assert service.batch_ids == [7]


def test_each_application_has_the_task_of_its_own_service() -> None:
    first, second = Recorder(), Recorder()
    apps = [make_app("memory://"), make_app("memory://")]
    for app, service in zip(apps, (first, second), strict=True):
        tasks.register(app, service)  # type: ignore[arg-type]  # the task needs no more of a service
    apps[1].tasks[RUN_BATCH](7)
    assert (first.batch_ids, second.batch_ids) == ([], [7])
