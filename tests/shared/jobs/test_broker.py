"""Messages: what they carry, and what a broker that is away may cost."""

from __future__ import annotations

import json
import time

import pytest
from celery import Celery
from gandl_shared.db import Waiting
from gandl_shared.errors import Unavailable
from gandl_shared.jobs.broker import BATCHES, MAX_MESSAGES, RUN_BATCH, CeleryQueue, make_app
from gandl_shared.testing import free_port


@pytest.fixture
def memory() -> Celery:
    """An application whose broker lives in this process, empty."""
    app = make_app("memory://")
    app.control.purge()
    return app


def test_a_message_is_the_id_of_a_batch_as_json(memory: Celery) -> None:
    queue = CeleryQueue(memory)
    queue.batch_ready([41, 42])
    queue.analysis_ready(7)
    assert queue.waiting() == Waiting(batches=2, analyses=1)
    with memory.connection_for_read() as connection:
        message = connection.SimpleQueue(BATCHES).get_nowait()
    assert message.headers["task"] == RUN_BATCH
    assert (message.content_type, json.loads(message.body)[0]) == ("application/json", [41])


def test_a_huge_screen_does_not_flood_the_broker(memory: Celery) -> None:
    queue = CeleryQueue(memory)
    queue.batch_ready(range(MAX_MESSAGES + 500))
    assert queue.waiting().batches == MAX_MESSAGES


def test_nothing_but_json_is_taken_and_nothing_is_acknowledged_before_it_is_done() -> None:
    conf = make_app("memory://").conf
    assert (conf.accept_content, conf.task_serializer) == (["json"], "json")
    assert (conf.task_acks_late, conf.worker_prefetch_multiplier, conf.task_ignore_result) == (True, 1, True)


def test_a_broker_that_is_away_costs_seconds_and_no_error() -> None:
    queue = CeleryQueue(make_app(f"redis://127.0.0.1:{free_port()}/0"))
    start = time.monotonic()
    queue.batch_ready([1])
    queue.analysis_ready(1)
    with pytest.raises(Unavailable, match="broker does not answer"):
        queue.waiting()
    assert time.monotonic() - start < 60
