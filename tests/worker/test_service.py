"""The work that a message of the queue starts, without a broker."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from gandl_shared.testing import FakeEmbedder
from gandl_worker.service import WorkerService

from tests.worker.bench import Bench


class Announcements:
    """A queue that records the analyses that were announced."""

    def __init__(self) -> None:
        self.analyses: list[int] = []

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        raise AssertionError(f"a worker announces no batches, but it announced {batch_ids}")

    def analysis_ready(self, analysis_id: int) -> None:
        self.analyses.append(analysis_id)


def service(bench: Bench, queue: Announcements) -> WorkerService:
    return WorkerService(
        db=bench.db,
        store=bench.store,
        queue=queue,
        embedders=lambda _: contextlib.nullcontext(FakeEmbedder()),
        lease_seconds=60,
    )


def test_a_message_runs_its_batch_and_the_last_announces_the_analysis(bench: Bench) -> None:
    screen_id, queue = bench.submit(), Announcements()
    ids = bench.db.batches.queued_ids(screen_id)
    for batch_id in reversed(ids):
        finished = service(bench, queue).run_batch(batch_id)
        assert finished is not None
        assert finished.accepted
    assert queue.analyses == [bench.db.analyses.of_screen(screen_id)[0].id]


def test_a_message_about_a_batch_that_is_done_runs_another(bench: Bench) -> None:
    screen_id, queue = bench.submit(), Announcements()
    first = bench.db.batches.queued_ids(screen_id)[0]
    for left in (2, 1, 0):
        assert service(bench, queue).run_batch(first) is not None
        assert len(bench.db.batches.queued_ids(screen_id)) == left
    assert service(bench, queue).run_batch(first) is None
