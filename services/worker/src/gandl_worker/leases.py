"""Keeping a lease while the work goes on."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from gandl_shared.db import Database, LeasedBatch

log = logging.getLogger(__name__)


class KeptLease:
    """Renews a batch's lease from a thread, three times in each of its lengths, until the block ends.

    `lost` turns true when the batch was cancelled, deleted or given to another worker: stop, nothing will be accepted.
    """

    def __init__(self, db: Database, lease: LeasedBatch, seconds: float) -> None:
        self._db = db
        self._lease = lease
        self._seconds = seconds
        self._end = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease of batch {lease.id}", daemon=True)

    @property
    def lost(self) -> bool:
        """Whether the lease is known to be lost."""
        return self._lost.is_set()

    def __enter__(self) -> KeptLease:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._end.wait(self._seconds / 3):
            try:
                if not self._db.renew_batch(self._lease, self._seconds):
                    self._lost.set()
                    return
            except Exception:  # the database may be away for a moment; the next round or the lease's end decides
                log.warning("could not renew the lease of batch %d", self._lease.id, exc_info=True)
