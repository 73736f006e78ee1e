"""The newest analyses are read in the background after a start, so that the first page of each need not wait for it."""

from __future__ import annotations

import logging
from threading import Event, Thread

from gandl_shared.db import Database
from gandl_shared.errors import NotFound
from gandl_shared.store import Store

from gandl_analysis.formats.store_layout import analysis_bytes
from gandl_analysis.service.results import Results

MAX_BYTES = 32_000_000
"""The most bytes of stored results that are read ahead; those of 4 × 1,536 wells with 320 compounds have 8 MB."""
PAUSE = 0.5
"""Seconds between two analyses. Parsing one holds up every request of the process, which is served in the pause."""

_log = logging.getLogger(__name__)


class WarmUp:
    """Reads the newest analysis of at most `max_screens` screens and `max_bytes` bytes.

    No failure of it is one of the service: what cannot be read is logged, and its first reader gets the error.
    """

    def __init__(
        self,
        database: Database,
        store: Store,
        results: Results,
        *,
        max_screens: int,
        max_bytes: int = MAX_BYTES,
        pause: float = PAUSE,
    ) -> None:
        self._database, self._store, self._results = database, store, results
        self._max_screens, self._max_bytes, self._pause = max_screens, max_bytes, pause
        self._stop = Event()
        self._thread = Thread(target=self.run, name="warm-up", daemon=True)

    def start(self) -> None:
        """Begin to read, and return at once."""
        self._thread.start()

    def stop(self) -> None:
        """Read nothing more, and wait for the analysis that is being read."""
        self._stop.set()
        self._thread.join()

    def run(self) -> None:
        """Read until all are read, or until `stop`."""
        try:
            statuses, _ = self._database.screens.page(0, self._max_screens)
        except Exception as error:
            _log.warning("no analysis is read ahead of its first reader: %s", error)
            return
        left = self._max_bytes
        for status in statuses:
            if status.analysis_version is not None and not self._stop.is_set():
                left -= self._read(status.id, status.analysis_version, left)
                self._stop.wait(self._pause)

    def _read(self, screen: str, version: int, limit: int) -> int:
        """Read an analysis of at most `limit` bytes; return its bytes, or 0 if it is left out."""
        try:
            size = analysis_bytes(self._store, screen, version)
            if size > limit:
                return 0
            self._results.of(screen, version)
        except NotFound:
            # The screen was deleted after it was listed.
            return 0
        except Exception as error:
            _log.warning("version %d of screen %s is not read ahead of its first reader: %s", version, screen, error)
            return 0
        return size
