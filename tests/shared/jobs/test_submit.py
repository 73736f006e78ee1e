"""Submitting a screen writes it before it is announced."""

from __future__ import annotations

import pytest
from gandl_shared.db import Database
from gandl_shared.errors import Conflict
from gandl_shared.jobs import ScreenPlan, retry, submit
from gandl_shared.testing import new_screen

from tests.shared.databases import embedded_screen, lease_analysis, lease_batch
from tests.shared.messages import Messages


def test_all_batches_of_a_new_screen_are_announced_in_order(db: Database) -> None:
    queue = Messages()
    screen_id = submit(db, ScreenPlan(new_screen(3), headers=0), queue)
    assert queue.batches == list(db.batches.queued_ids(screen_id))
    assert len(queue.batches) == 3


def test_a_screen_without_a_queue_is_only_written(db: Database) -> None:
    screen_id = submit(db, ScreenPlan(new_screen(3), headers=0))
    assert len(db.batches.queued_ids(screen_id)) == 3


def test_a_retry_announces_the_parked_batches_only(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    done, parked = lease_batch(db), lease_batch(db)
    db.batches.finish(done, {0: "key"}, {})
    db.batches.finish(parked, {}, {1: "cannot be decoded"})
    db.analyses.finish(lease_analysis(db))
    queue = Messages()
    retry(db, screen_id, queue)
    assert (queue.batches, queue.analyses) == ([parked.id], [])


def test_a_retry_announces_the_analysis_where_all_images_are_done(db: Database) -> None:
    screen_id, queue = embedded_screen(db), Messages()
    db.analyses.fail(lease_analysis(db), "too few wells", final=True)
    retry(db, screen_id, queue)
    assert (queue.batches, queue.analyses) == ([], [db.analyses.of_screen(screen_id)[1].id])


def test_a_running_screen_is_not_retried_and_nothing_is_announced(db: Database) -> None:
    screen_id, queue = db.screens.create(new_screen(2)), Messages()
    with pytest.raises(Conflict, match="still running"):
        retry(db, screen_id, queue)
    assert queue.batches == []
