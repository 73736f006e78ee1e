"""The sweep sends as many messages as were lost."""

from __future__ import annotations

from gandl_shared.db import Database, Waiting
from gandl_shared.jobs.sweep import Sweep
from gandl_shared.testing import new_screen

from tests.shared.databases import embedded_screen, finish_batch, lease_batch
from tests.shared.messages import Messages

NOTHING = Waiting(batches=0, analyses=0)


def test_the_missing_messages_are_sent_once(db: Database) -> None:
    db.screens.create(new_screen(3))
    queue = Messages()
    sweep = Sweep(db, queue)
    assert sweep.once() == Waiting(batches=3, analyses=0)
    assert sweep.once() == NOTHING


def test_a_leased_batch_needs_no_message(db: Database) -> None:
    db.screens.create(new_screen(3))
    lease_batch(db)
    assert Sweep(db, Messages()).once() == Waiting(batches=2, analyses=0)


def test_a_batch_whose_worker_was_lost_is_announced_again(db: Database) -> None:
    db.screens.create(new_screen(1))
    db.batches.renew(lease_batch(db), -1)
    assert Sweep(db, Messages()).once() == Waiting(batches=1, analyses=0)


def test_a_screen_without_open_work_needs_no_message(db: Database) -> None:
    screen_id = db.screens.create(new_screen(1))
    finish_batch(db, lease_batch(db))
    db.screens.cancel(screen_id)
    assert Sweep(db, Messages()).once() == NOTHING


def test_a_lost_analysis_is_announced_again(db: Database) -> None:
    screen_id, queue = embedded_screen(db), Messages()
    assert Sweep(db, queue).once() == Waiting(batches=0, analyses=1)
    assert queue.analyses == [db.analyses.of_screen(screen_id)[0].id]


def test_the_sweep_parks_batches_that_lost_all_their_workers(db: Database) -> None:
    screen_id = db.screens.create(new_screen(1))
    for _ in range(3):
        db.batches.renew(lease_batch(db), -1)
    assert Sweep(db, Messages()).once() == NOTHING
    assert "no site could be embedded" in (db.screens.status(screen_id).error or "")
