"""Batches are leased, and given back as finished, failed or untried."""

from __future__ import annotations

from dataclasses import replace

from gandl_shared.db import Database, FinishedBatch
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.image_layout import ImageLayout
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.testing import new_screen

from tests.shared.databases import finish_batch, lease_batch


def test_a_leased_batch_has_all_that_a_worker_needs(db: Database) -> None:
    new = new_screen(4, sites_per_batch=3)
    screen_id = db.screens.create(new)
    first, second = lease_batch(db), lease_batch(db)
    assert (first.screen_id, first.number, first.attempt, first.model) == (screen_id, 0, 1, new.model)
    assert [(s.number, s.site, s.key) for s in first.sites] == [(n, new.sites[n], None) for n in range(3)]
    assert [s.number for s in second.sites] == [3]
    assert dict(first.limits) == dict(new.limits)


def test_planes_of_a_channel_and_their_reduction_come_back(db: Database) -> None:
    new = new_screen(2, sites_per_batch=2)
    stacked = replace(new.sites[0], names=("p1.tif", "p2.tif", "c2.tif"), planes=(2, 1))
    lacking = replace(new.sites[1], names=("c2.tif",), planes=(0, 1))
    layout = ImageLayout(layout="Harmony", channels=(), channel_order="", reduction=Reduction.MAX)
    db.screens.create(replace(new, sites=(stacked, lacking), layout=layout))
    lease = lease_batch(db)
    assert lease.reduction is Reduction.MAX
    assert [leased.site for leased in lease.sites] == [stacked, lacking]
    assert db.screens.get(lease.screen_id).layout == layout
    status = db.screens.status(lease.screen_id)
    assert (status.image_layout, status.channel_order) == (layout.layout, layout.channel_text)


def test_a_certain_batch_or_screen_can_be_asked_for(db: Database) -> None:
    one, other = (db.screens.create(new_screen(2)) for _ in range(2))
    batch_id = db.batches.queued_ids(other)[1]
    lease = db.batches.lease("test", 60, batch_id=batch_id)
    assert lease is not None
    assert (lease.id, lease.screen_id) == (batch_id, other)
    assert db.batches.lease("test", 60, batch_id=batch_id) is None
    assert lease_batch(db, one).screen_id == one


def test_the_last_batch_queues_the_analysis(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    assert finish_batch(db, lease_batch(db)) is None
    analysis_id = finish_batch(db, lease_batch(db))
    assert analysis_id == db.analyses.of_screen(screen_id)[0].id


def test_a_failure_counts_as_an_attempt_and_a_release_does_not(db: Database) -> None:
    db.screens.create(new_screen(1))
    attempts = []
    for give_back in (lambda b: db.batches.fail(b, "error"), db.batches.release, db.batches.release):
        lease = lease_batch(db)
        attempts.append(lease.attempt)
        give_back(lease)
    assert [*attempts, lease_batch(db).attempt] == [1, 2, 2, 2]


def test_a_lost_lease_writes_nothing(db: Database) -> None:
    screen_id = db.screens.create(new_screen(1))
    lost = lease_batch(db)
    db.batches.renew(lost, -1)
    lease_batch(db)
    refused = FinishedBatch(screen_id, accepted=False)
    assert db.batches.finish(lost, {0: "key"}, {}) == refused
    assert db.batches.fail(lost, "error") == refused
    assert not db.batches.release(lost)
    assert db.screens.status(screen_id).progress.done == 0


def test_a_batch_that_loses_every_worker_is_parked_with_the_reason(db: Database) -> None:
    screen_id = db.screens.create(new_screen(1))
    for _ in range(3):
        db.batches.renew(lease_batch(db), -1)
    assert db.batches.park_exhausted() == ()
    status = db.screens.status(screen_id)
    assert status.state is ScreenState.FAILED
    assert status.parked[0].error == "the worker was lost 3 times on this batch"
