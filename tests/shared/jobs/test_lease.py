"""A lease is renewed until the work ends, and a lost lease is noticed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from gandl_shared.db import Database, Lease
from gandl_shared.jobs import LeaseRenewal, drop_lost_work
from gandl_shared.store import Store
from gandl_shared.testing import PATIENCE, new_screen

LEASE = Lease(id=1, screen_id="s1", token="t", attempt=1)


@dataclass
class Repository:
    """Answers renewals by `answers`, then with True. An answer that is an exception is raised."""

    answers: list[bool | Exception]
    renewals: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def renew(self, lease: Lease, seconds: float) -> bool:
        """Record the renewal and answer it."""
        assert (lease, seconds) == (LEASE, 0.03)
        self.renewals.release()
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait_for(self, count: int) -> None:
        """Wait until so many further renewals were tried."""
        assert all(self.renewals.acquire(timeout=PATIENCE) for _ in range(count))


def thread_of_renewal() -> threading.Thread | None:
    return next((thread for thread in threading.enumerate() if thread.name == "renewal of Lease 1"), None)


def test_a_lease_is_renewed_until_the_block_ends() -> None:
    repository = Repository([])
    with LeaseRenewal(repository, LEASE, 0.03) as renewal:
        repository.wait_for(3)
        assert not renewal.lost
    assert thread_of_renewal() is None


def test_a_refused_renewal_is_the_last_one_and_the_lease_is_lost() -> None:
    repository = Repository([True, False])
    with LeaseRenewal(repository, LEASE, 0.03) as renewal:
        repository.wait_for(2)
        thread = thread_of_renewal()
        if thread is not None:
            thread.join(PATIENCE)
        assert renewal.lost
    assert not repository.renewals.acquire(blocking=False)


def test_a_database_that_is_away_for_a_moment_loses_no_lease() -> None:
    repository = Repository([OSError("away"), OSError("away"), True])
    with LeaseRenewal(repository, LEASE, 0.03) as renewal:
        repository.wait_for(4)
        assert not renewal.lost


def test_only_files_of_a_deleted_screen_are_removed(db: Database, tmp_path: Path) -> None:
    store, screen_id = Store(tmp_path / "store"), db.screens.create(new_screen(2))
    store.put_document(screen_id, "report.html", "x")
    lease = Lease(id=1, screen_id=screen_id, token="t", attempt=1)
    drop_lost_work(db, store, lease)
    assert store.documents(screen_id) == ("report.html",)
    db.screens.delete(screen_id)
    drop_lost_work(db, store, lease)
    assert store.documents(screen_id) == ()
