"""Sending again what a broker has lost: more work waits in the database than messages wait in the queues.

Messages are interchangeable (a worker that finds the batch of its message taken leases another one), so it is enough
that there are as many messages as waiting batches; which ones were lost need not be known.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from gandl_shared.db import Database, Waiting
from gandl_shared.errors import Unavailable
from gandl_shared.jobs.queue import Queue

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
MOST_AT_ONCE = 2000


class MeasuredQueue(Queue, Protocol):
    """A queue that can tell how many messages wait in it."""

    def waiting(self) -> Waiting:
        """Messages that nobody has taken. Raises Unavailable."""


class Sweep:
    """Compares database and queues every `seconds`, from a thread, until the block ends.

    Any number of processes may sweep the same database: each round is done by one of them.
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
        self._thread.join()

    def once(self) -> Waiting:
        """Send the messages that are missing; how many. Raises Unavailable where the broker does not answer."""
        self._db.park_exhausted()
        work, messages = self._db.waiting(), self._queue.waiting()
        batches = min(MOST_AT_ONCE, work.batches) - messages.batches
        analyses = min(MOST_AT_ONCE, work.analyses) - messages.analyses
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
                if self._db.timers.claim("sweep", self._seconds * 0.9):
                    sent = self.once()
                    if sent.batches or sent.analyses:
                        log.info("sent again: %d batches, %d analyses", sent.batches, sent.analyses)
            except Unavailable as error:
                log.warning("%s", error.detail)
            except Exception:  # the database may be away for a moment; the sweep is what must go on
                log.exception("the sweep failed; it goes on")
