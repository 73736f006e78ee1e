"""Celery as gandl uses it: ids as JSON, late acknowledgement, one message at a time, no result backend.

The broker carries only hints (see `queue`), so a lost message does no harm. The options below make a worker notice soon
that the broker is back.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu import Queue as KombuQueue
from kombu.exceptions import OperationalError

from gandl_shared.db import Waiting
from gandl_shared.errors import Unavailable

log = logging.getLogger(__name__)

BATCHES, ANALYSIS = "batches", "analysis"
"""Names of the two queues."""
RUN_BATCH, RUN_ANALYSIS = "gandl.run_batch", "gandl.run_analysis"
"""Names of the two tasks; each takes one id."""

MAX_MESSAGES = 2000
"""At most so many messages wait in a queue; `Sweep` sends the next ones when workers have received these."""

_CONNECT_SECONDS = 5
_VISIBILITY_SECONDS = 600


def make_app(broker_url: str, *, name: str = "gandl") -> Celery:
    """Return a Celery application without tasks. It does not connect yet."""
    # A process may have several applications, so none of them becomes the one that Celery uses by default.
    app = Celery(name, broker=broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        # The broker keeps a message until its work is done, so the message returns if the worker is killed.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # A worker that takes messages in advance holds work back that an idle worker could do.
        worker_prefetch_multiplier=1,
        # The program has set up its log, which Celery would otherwise replace.
        worker_hijack_root_logger=False,
        # The lease in the database decides who may write, so a task can end without the broker.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_queues=[KombuQueue(BATCHES), KombuQueue(ANALYSIS)],
        task_default_queue=BATCHES,
        # A user's request should not wait long for a broker that is away, because the sweep sends the message later.
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.1},
        broker_connection_timeout=_CONNECT_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            # After this time the broker gives a message to another worker.
            # A longer batch is safe, because its lease is renewed meanwhile.
            "visibility_timeout": _VISIBILITY_SECONDS,
            "socket_connect_timeout": _CONNECT_SECONDS,
            # Without these two checks, a worker could wait forever on a connection that broke without notice.
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
    )
    return app


class CeleryQueue:
    """A queue through a broker. If the broker is away, the sweep announces the work later."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        """Announce the first MAX_MESSAGES of these batches."""
        self._send(RUN_BATCH, BATCHES, batch_ids[:MAX_MESSAGES])

    def analysis_ready(self, analysis_id: int) -> None:
        """Announce an analysis."""
        self._send(RUN_ANALYSIS, ANALYSIS, [analysis_id])

    def waiting(self) -> Waiting:
        """Count the messages that no worker has received. Raises Unavailable."""
        try:
            with self._app.connection_for_read() as connection:
                channel: Any = connection.default_channel  # Celery's types lack the methods of the transport
                # To declare a queue that exists changes nothing, and the answer contains its length.
                lengths = [int(channel.queue_declare(name).message_count) for name in (BATCHES, ANALYSIS)]
        except (OperationalError, OSError) as error:
            raise Unavailable(f"the broker does not answer: {error}") from error
        batches, analyses = lengths
        return Waiting(batches=batches, analyses=analyses)

    def _send(self, task: str, queue: str, ids: Sequence[int]) -> None:
        try:
            with self._app.producer_or_acquire() as producer:
                for number in ids:
                    self._app.send_task(task, args=[number], queue=queue, producer=producer)
        except (OperationalError, OSError) as error:
            log.warning("the broker does not answer, %d messages to '%s' wait: %s", len(ids), queue, error)
