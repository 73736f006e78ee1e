"""Sites loaded in a process of their own, one after another, where a site may have killed a worker.

A process that dies takes no other site with it, so it shows which site it was, and the worker goes on with the others.
"""

from __future__ import annotations

import logging
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Self

from gandl_shared.imaging import Preprocessing
from gandl_shared.plates import Site

from gandl_worker.sites import SiteResult, Unreadable, load_inside, names_of

log = logging.getLogger(__name__)

MAX_SITE_SECONDS = 600.0
"""A site that is not loaded after this time counts as one that its decoder never ends with."""

_TRIES = 2
_OOM_SCORE = Path("/proc/self/oom_score_adj")


class IsolatedLoader:
    """Loads sites in a child process until the block ends. A child that dies or hangs is replaced."""

    def __init__(self, max_seconds: float = MAX_SITE_SECONDS) -> None:
        self.max_seconds = max_seconds
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def load(self, site: Site, preprocessing: Preprocessing | None, model_id: str, stored: str | None) -> SiteResult:
        """Load a site as `load_inside` does; a site that kills its process twice or hangs is unreadable."""
        # The system may have ended the process for want of memory that another program took, so one death is no proof.
        for attempt in range(1, _TRIES + 1):
            try:
                future = self._open().submit(load_inside, site, preprocessing, model_id, stored)
                return future.result(self.max_seconds)
            except BrokenProcessPool:
                log.warning("the process that loaded %s died, attempt %d", names_of(site), attempt)
                self._end()
            except TimeoutError:
                self._end()
                return Unreadable(f"{names_of(site)}: decoding did not end within {self.max_seconds:.0f} s")
            except MemoryError:
                break
        return Unreadable(
            f"{names_of(site)} cannot be decoded: the process that read the site had not enough memory or crashed; "
            "write smaller images, or give the worker more memory and retry the screen"
        )

    def _open(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # A forked child would share the locks of the worker's threads, in whatever state they are.
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_volunteer)
        return self._pool

    def _end(self) -> None:
        if self._pool is None:
            return
        children = list((self._pool._processes or {}).values())  # the pool cannot end a child that hangs
        self._pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.kill()
            child.join()
        self._pool = None


def _volunteer() -> None:
    """Let Linux end this process and not the worker when the memory is full."""
    if _OOM_SCORE.exists():
        _OOM_SCORE.write_text("1000")
