"""Keeping a lease during the work, and cleaning up after a lease that was lost."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
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


def worker_name() -> str:
    """Return the name of this process for its leases: machine, process id, and where that id has its meaning."""
    return f"{socket.gethostname()}:{os.getpid()}:{_process_space()}"


def expire_dead_leases(db: Database) -> int:
    """End the leases of workers of this machine whose processes have died; return their number.

    A worker calls it when it starts, before it holds a lease, so that it takes over at once what its predecessor had,
    and does not wait for the end of the leases. In a container that starts again, all leases of its earlier life are of
    the dead. Processes of other machines and containers cannot be seen, and keep their leases.
    """
    dead = [name for name in {*db.batches.holders(), *db.analyses.holders()} if _is_dead(name)]
    return db.batches.expire(dead) + db.analyses.expire(dead)


def _process_space() -> str:
    """Return the boot and the process namespace in which an id means one process, or nothing where Linux is absent.

    The number of a namespace is given again when it has ended, so the start of its first process is part of its name.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        number = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - a link that Path would resolve
        # Field 22 is the start in ticks since the boot. The name of the program before it may hold blanks and brackets.
        start = Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
    return f"{boot}/{number}/{start}"


def _is_dead(name: str) -> bool:
    # A process that starts has no lease yet, so its name is that of a predecessor with the same id.
    if name == worker_name():
        return True
    host, _, rest = name.partition(":")
    pid, _, space = rest.partition(":")
    if host != socket.gethostname() or not space or not pid.isdigit():
        return False
    if space != _process_space():
        return _is_container(host)
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives, and belongs to another user
        return False
    return False


def _is_container(host: str, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Return whether this process is in the container of which `host` is the id, and not only has its name.

    Such a container has one process namespace at a time. Docker and Podman mount files from a folder of its id.
    """
    try:
        return re.search(rf"/[a-z-]*containers/{re.escape(host)}[0-9a-f]{{52}}/", mounts.read_text()) is not None
    except OSError:
        return False


def drop_lost_work(db: Database, store: Store, lease: Lease) -> None:
    """Remove the files that a worker wrote under a lost lease if the screen was deleted meanwhile."""
    log.info("%s %d of screen %s was lost", type(lease).__name__, lease.id, lease.screen_id)
    # The deletion of a screen also removes its files, but the worker may have written another one after that.
    try:
        db.screens.get(lease.screen_id)
    except NotFound:
        store.delete(lease.screen_id)
