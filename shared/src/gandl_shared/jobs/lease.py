"""Keeping a lease during the work, and cleaning up after a lease that was lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, TypeVar

from gandl_shared.db import Database, Lease
from gandl_shared.errors import NotFound
from gandl_shared.store import Store

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 3
"""A lease is renewed so many times within its length, so that one failed renewal does not lose it."""

LeaseT_contra = TypeVar("LeaseT_contra", bound=Lease, contravariant=True)


class Renewable(Protocol[LeaseT_contra]):
    """The repository that a lease came from: `Database.batches` or `Database.analyses`."""

    def renew(self, lease: LeaseT_contra, seconds: float, /) -> bool:
        """Extend a lease to `seconds` from now. Return False if it was lost."""


class LeaseRenewal:
    """Renew a lease of `seconds` from a thread until the block ends.

    `lost` becomes true when the work was cancelled, deleted or given to another worker. The worker should then stop,
    because none of its results will be accepted.
    """

    def __init__(self, repository: Renewable[LeaseT_contra], lease: LeaseT_contra, seconds: float) -> None:
        self._renew: Callable[[], bool] = lambda: repository.renew(lease, seconds)
        self._name = f"{type(lease).__name__} {lease.id}"
        self._interval = seconds / RENEWALS_PER_LEASE
        self._end = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"renewal of {self._name}", daemon=True)

    @property
    def lost(self) -> bool:
        """True once a renewal has been refused."""
        return self._lost.is_set()

    def __enter__(self) -> LeaseRenewal:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(self._interval):
            try:
                if not self._renew():
                    self._lost.set()
                    return
            except Exception:  # the database may be away for a moment; the next renewal or the lease's end decides
                log.warning("could not renew %s", self._name, exc_info=True)


def drop_lost_work(db: Database, store: Store, lease: Lease) -> None:
    """Remove the files that a worker wrote under a lost lease if the screen was deleted meanwhile."""
    log.info("%s %d of screen %s was lost", type(lease).__name__, lease.id, lease.screen_id)
    # The deletion of a screen also removes its files, but the worker may have written another one after that.
    try:
        db.screens.get(lease.screen_id)
    except NotFound:
        store.delete(lease.screen_id)
