"""Sending lost messages again: whenever more work waits in the database than messages wait in the queues.

Messages are interchangeable, because a worker leases another batch if a second worker has the batch of its message.
Therefore it is enough to have as many messages as waiting batches; it does not matter which messages were lost.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from gandl_shared.db import Database, Waiting
from gandl_shared.errors import Unavailable
from gandl_shared.jobs.broker import MAX_MESSAGES
from gandl_shared.jobs.queue import Queue

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0


class MeasuredQueue(Queue, Protocol):
    """A queue that can count its messages."""

    def waiting(self) -> Waiting:
        """Count the messages that no worker has received. Raises Unavailable."""


class Sweep:
    """Compare the database and the queues every `seconds`, in a thread, until the block ends.

    Any number of processes may sweep the same database; one of them does each round.
    """

    def __init__(self, db: Database, queue: MeasuredQueue, seconds: float = SWEEP_SECONDS) -> None:
        self._db = db
        self._queue = queue
        self._seconds = seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def __enter__(self) -> Sweep:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        # The caller may close the database next, so the thread must have ended.
        self._thread.join()

    def once(self) -> Waiting:
        """Send the missing messages and return their numbers. Raises Unavailable if the broker does not answer."""
        # This comes first, so that no message is sent for work that has no attempt left.
        self._db.park_exhausted()
        work, messages = self._db.waiting(), self._queue.waiting()
        # A very long queue costs the broker memory and makes no worker faster.
        batches = min(MAX_MESSAGES, work.batches) - messages.batches
        analyses = min(MAX_MESSAGES, work.analyses) - messages.analyses
        # The messages that are still in a queue are most likely about the oldest work, so send the newest.
        batch_ids = self._db.batches.ready_ids(max(0, batches))
        analysis_ids = self._db.analyses.ready_ids(max(0, analyses))
        if batch_ids:
            self._queue.batch_ready(batch_ids)
        for analysis_id in analysis_ids:
            self._queue.analysis_ready(analysis_id)
        return Waiting(batches=len(batch_ids), analyses=len(analysis_ids))

    def _run(self) -> None:
        while not self._end.wait(self._seconds):
            try:
                # The claim is a little shorter than a round, so that a thread that wakes early does not miss a round.
                if self._db.timers.claim("sweep", self._seconds * 0.9):
                    lost = self.once()
                    if lost.batches or lost.analyses:
                        log.info("sent again: %d batches, %d analyses", lost.batches, lost.analyses)
            except Unavailable as error:
                log.warning("%s", error.detail)
            except Exception:  # the database may be away for a moment, and the sweep must go on
                log.exception("the sweep failed; it goes on")
