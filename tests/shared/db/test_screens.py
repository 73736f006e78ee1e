"""Screens are listed with their progress, page by page, and cancelled, retried and deleted."""

from __future__ import annotations

import pytest
from gandl_shared.db import Database, screens
from gandl_shared.errors import Conflict, NotFound
from gandl_shared.schemas.screen import Progress, ScreenState
from gandl_shared.testing import new_screen

from tests.shared.databases import finish_batch, lease_batch


def test_progress_counts_every_screen_by_itself(db: Database) -> None:
    first, second = (db.screens.create(new_screen(wells, name=str(wells))) for wells in (2, 4))
    finish_batch(db, lease_batch(db, first))
    db.batches.finish(lease_batch(db, second), {}, {0: "cannot be decoded"})
    by_id = {status.id: status for status in db.screens.statuses()}
    assert by_id[first].progress == Progress(sites=2, done=1, parked=0)
    assert by_id[second].progress == Progress(sites=4, done=0, parked=1)
    assert (by_id[first].wells, by_id[second].wells, by_id[second].plates) == (2, 4, 1)
    assert by_id[second].parked == (), "a list of screens has no lists of sites"


def test_a_screen_is_embedding_from_the_first_attempt_on(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    assert db.screens.status(screen_id).state is ScreenState.QUEUED
    lease_batch(db)
    assert db.screens.status(screen_id).state is ScreenState.EMBEDDING


def test_pages_are_parts_of_the_whole_list(db: Database) -> None:
    for n in range(7):
        db.screens.create(new_screen(2, name=str(n)))
    everything = db.screens.statuses()
    pages = [db.screens.page(offset, 3) for offset in (0, 3, 6, 9)]
    assert [len(items) for items, _ in pages] == [3, 3, 1, 0]
    assert {total for _, total in pages} == {7}
    assert tuple(status for items, _ in pages for status in items) == everything


def test_a_long_list_is_counted_in_several_queries(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        finish_batch(db, lease_batch(db, db.screens.create(new_screen(2, name=str(n)))))
    expected = db.screens.statuses()
    monkeypatch.setattr(screens, "_IDS_PER_QUERY", 2)
    assert db.screens.statuses() == expected
    assert {status.progress for status in expected} == {Progress(sites=2, done=1, parked=0)}


def test_a_cancelled_screen_takes_up_only_what_is_missing(db: Database) -> None:
    screen_id = db.screens.create(new_screen(3))
    finish_batch(db, lease_batch(db))
    cancelled = lease_batch(db)
    db.screens.cancel(screen_id)
    assert finish_batch(db, cancelled) is None
    assert db.screens.retry(screen_id) is None
    assert [lease_batch(db).number for _ in range(2)] == [1, 2]
    assert db.batches.lease("test", 60) is None


def test_a_running_screen_cannot_be_retried_and_an_ended_one_not_cancelled(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    with pytest.raises(Conflict, match="still running"):
        db.screens.retry(screen_id)
    db.screens.cancel(screen_id)
    with pytest.raises(Conflict, match="only a running screen"):
        db.screens.cancel(screen_id)


def test_a_deleted_screen_is_gone_for_everybody(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    lease = lease_batch(db)
    db.screens.delete(screen_id)
    assert not db.batches.renew(lease, 60)
    assert (db.screens.statuses(), db.waiting().batches) == ((), 0)
    for call in (db.screens.get, db.screens.status, db.screens.plate_map, db.screens.delete):
        with pytest.raises(NotFound, match=screen_id):
            call(screen_id)


def test_sites_are_those_of_a_plate_or_well_with_their_state(db: Database) -> None:
    new = new_screen(4, sites=2, sites_per_batch=3)
    screen = db.screens.create(new)
    db.batches.finish(lease_batch(db, screen), {0: "key"}, {1: "cannot be decoded"})
    sites = db.screens.sites(screen, "P1")
    assert [record.site for record in sites] == list(new.sites)
    assert [record.batch for record in sites] == [0, 0, 0, 1, 1, 1, 2, 2]
    assert [(record.key, record.error) for record in sites[:3]] == [
        ("key", None),
        (None, "cannot be decoded"),
        (None, None),
    ]
    well = sites[2].site.well
    assert [record.site.site for record in db.screens.sites(screen, "P1", well)] == ["0", "1"]
    assert db.screens.sites(screen, "P2") == db.screens.sites(screen, "P1", "H12") == ()
    with pytest.raises(NotFound):
        db.screens.sites("other", "P1")
