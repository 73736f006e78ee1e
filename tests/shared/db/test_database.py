"""The database joins its repositories."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.db import Database, Waiting
from gandl_shared.testing import new_screen

from tests.shared.databases import embedded_screen, lease_batch


def test_work_of_both_kinds_is_counted(db: Database) -> None:
    assert db.waiting() == Waiting(batches=0, analyses=0)
    embedded_screen(db)
    db.screens.create(new_screen(3))
    lease_batch(db)
    assert db.waiting() == Waiting(batches=2, analyses=1)


def test_parking_an_exhausted_batch_returns_the_analysis_that_it_queued(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    db.batches.finish(lease_batch(db), {0: "key"}, {})
    for _ in range(3):
        db.batches.renew(lease_batch(db), -1)
    assert db.park_exhausted() == (db.analyses.of_screen(screen_id)[0].id,)
    assert db.park_exhausted() == ()


def test_the_number_of_attempts_can_be_set(tmp_path: Path) -> None:
    db = Database.connect(f"sqlite:///{tmp_path}/other.db", max_attempts=1)
    screen_id = db.screens.create(new_screen(1))
    db.batches.fail(lease_batch(db), "disk error")
    assert db.screens.status(screen_id).progress.parked == 1
    db.close()
