"""A queue without a broker runs the work directly."""

from __future__ import annotations

from gandl_shared.jobs import InProcessQueue


def test_the_work_runs_in_the_order_of_its_announcement() -> None:
    calls: list[tuple[str, int]] = []
    queue = InProcessQueue(lambda n: calls.append(("batch", n)), lambda n: calls.append(("analysis", n)))
    queue.batch_ready([3, 1])
    queue.analysis_ready(7)
    assert calls == [("batch", 3), ("batch", 1), ("analysis", 7)]
