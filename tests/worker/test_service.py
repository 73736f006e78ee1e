"""What a message of the queue sets off, without a broker."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from gandl_shared.db import Waiting
from gandl_shared.jobs import InProcessQueue
from gandl_shared.jobs.sweep import Sweep
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.testing import FakeEmbedder
from gandl_worker.service import WorkerService
from gandl_worker.settings import Settings

Bench = Any  # the fixture's dataclass; conftest modules cannot be imported


class Messages:
    """A queue that keeps its messages and can lose them."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.analyses: list[int] = []

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        self.batches += batch_ids

    def analysis_ready(self, analysis_id: int) -> None:
        self.analyses.append(analysis_id)

    def waiting(self) -> Waiting:
        return Waiting(batches=len(self.batches), analyses=len(self.analyses))


def service(bench: Bench, queue: Messages) -> WorkerService:
    return WorkerService(bench.db, bench.store, queue, lambda _: contextlib.nullcontext(FakeEmbedder()), 60)


def test_a_message_runs_its_batch_and_the_last_announces_the_analysis(bench: Bench) -> None:
    screen_id, queue = bench.submit(), Messages()
    ids = bench.db.batches.queued_ids(screen_id)
    for batch_id in reversed(ids):
        finished = service(bench, queue).run_batch(batch_id)
        assert finished is not None
        assert finished.accepted
    assert queue.analyses == [bench.db.analyses.of_screen(screen_id)[0].id]


def test_a_message_about_a_batch_that_is_done_runs_another(bench: Bench) -> None:
    screen_id, queue = bench.submit(), Messages()
    first = bench.db.batches.queued_ids(screen_id)[0]
    for left in (2, 1, 0):
        assert service(bench, queue).run_batch(first) is not None
        assert len(bench.db.batches.queued_ids(screen_id)) == left
    assert service(bench, queue).run_batch(first) is None


def test_in_process_queue_calls_the_work_directly(bench: Bench) -> None:
    screen_id, announced = bench.submit(), Messages()
    queue = InProcessQueue(service(bench, announced).run_batch, announced.analysis_ready)
    queue.batch_ready(bench.db.batches.queued_ids(screen_id))
    queue.analysis_ready(7)
    assert bench.db.screens.status(screen_id).state is ScreenState.ANALYSING
    assert announced.analyses[-1] == 7


def test_the_sweep_sends_as_many_messages_as_are_missing(bench: Bench) -> None:
    screen_id, queue = bench.submit(), Messages()
    sweep = Sweep(bench.db, queue)
    assert sweep.once() == Waiting(batches=3, analyses=0)
    assert sweep.once() == Waiting(batches=0, analyses=0)
    queue.batches.clear()
    bench.db.batches.lease("test", 60)
    assert sweep.once() == Waiting(batches=2, analyses=0)
    for batch_id in bench.db.batches.queued_ids(screen_id):
        service(bench, Messages()).run_batch(batch_id)
    queue.batches.clear()
    assert sweep.once() == Waiting(batches=0, analyses=0)


def test_the_sweep_sends_an_analysis_that_was_lost(bench: Bench) -> None:
    screen_id, queue = bench.submit(), Messages()
    for batch_id in bench.db.batches.queued_ids(screen_id):
        service(bench, Messages()).run_batch(batch_id)
    assert Sweep(bench.db, queue).once() == Waiting(batches=0, analyses=1)
    assert queue.analyses == [bench.db.analyses.of_screen(screen_id)[0].id]


def test_settings_come_from_the_environment(monkeypatch: Any) -> None:
    monkeypatch.setenv("GANDL_WORKER_CONCURRENCY", "3")
    monkeypatch.setenv("GANDL_WORKER_EMBEDDING_API_KEY", "secret")
    monkeypatch.setenv("GANDL_WORKER_STORE", "")
    settings = Settings()
    assert (settings.concurrency, settings.store) == (3, "gandl-store")
    assert "secret" not in repr(settings)
