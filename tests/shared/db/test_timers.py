"""One process does each round of a periodic job."""

from __future__ import annotations

from gandl_shared.db import Database


def test_a_round_is_claimed_once_until_it_is_due_again(db: Database) -> None:
    assert db.timers.claim("sweep", 3600)
    assert not db.timers.claim("sweep", 3600)


def test_a_round_that_is_due_at_once_can_be_claimed_again(db: Database) -> None:
    assert db.timers.claim("sweep", -1)
    assert db.timers.claim("sweep", -1)


def test_a_timer_that_is_not_there_is_never_due(db: Database) -> None:
    assert not db.timers.claim("holiday", 1)
