"""The rules of a lease, which are the same for batches and analyses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gandl_shared.db import Database, Lease
from gandl_shared.db.engine import Transactions, open_engine
from gandl_shared.db.leases import Leases
from gandl_shared.db.tables import Analysis, Batch, Work
from gandl_shared.schemas.states import WorkState
from gandl_shared.testing import new_screen
from sqlalchemy import Connection, Row, select

from tests.shared.databases import embedded_screen

MAX_ATTEMPTS = 3


def batch(db: Database) -> type[Work]:
    """A screen with one batch that waits."""
    db.screens.create(new_screen(2, sites_per_batch=2))
    return Batch


def analysis(db: Database) -> type[Work]:
    """A screen with one analysis that waits."""
    embedded_screen(db)
    return Analysis


@pytest.fixture(params=[batch, analysis])
def leases(request: pytest.FixtureRequest, db: Database) -> Leases:
    """The leases of a table with one row that waits."""
    prepare: Callable[[Database], type[Work]] = request.param
    return Leases(prepare(db), MAX_ATTEMPTS)


@pytest.fixture
def connection(tmp_path: Path, leases: Leases) -> Iterator[Connection]:
    """An open transaction on the database in which `leases` has its row."""
    engine = open_engine(f"sqlite:///{tmp_path}/gandl.db")
    with Transactions(engine).write() as connection:
        yield connection
    engine.dispose()


def take(leases: Leases, connection: Connection, seconds: float = 60.0) -> Lease | None:
    row = leases.take(connection, "test", seconds)
    return None if row is None else lease_of(row)


def lease_of(row: Row[Any]) -> Lease:  # a row of either table
    return Lease(id=row.id, screen_id=row.screen_id, token=row.token, attempt=row.attempts)


def state(leases: Leases, connection: Connection) -> str:
    return connection.execute(select(leases.table.state).order_by(leases.table.id.desc()).limit(1)).scalar_one()


def test_a_row_is_taken_once(leases: Leases, connection: Connection) -> None:
    lease = take(leases, connection)
    assert lease is not None
    assert (lease.attempt, state(leases, connection)) == (1, WorkState.LEASED)
    assert take(leases, connection) is None


def test_an_expired_lease_is_taken_again_under_a_new_token(leases: Leases, connection: Connection) -> None:
    first, second = take(leases, connection, -1), take(leases, connection)
    assert first is not None
    assert second is not None
    assert (first.id, first.attempt, second.attempt) == (second.id, 1, 2)
    assert not leases.renew(connection, first, 60)
    assert not leases.hold(connection, first)
    assert leases.renew(connection, second, 60)


def test_a_row_is_exhausted_after_its_last_attempt(leases: Leases, connection: Connection) -> None:
    for _ in range(MAX_ATTEMPTS):
        assert leases.exhausted(connection) == []
        lease = take(leases, connection, -1)
    assert lease is not None
    assert take(leases, connection) is None
    assert leases.exhausted(connection) == [lease.id]
    row = leases.hold_exhausted(connection, lease.id)
    assert row is not None
    assert row.attempts == MAX_ATTEMPTS


def test_a_row_with_a_valid_lease_is_not_exhausted(leases: Leases, connection: Connection) -> None:
    for _ in range(MAX_ATTEMPTS):
        lease = take(leases, connection, -1)
    assert lease is not None
    assert leases.renew(connection, lease, 60)
    assert leases.hold_exhausted(connection, lease.id) is None


def test_a_returned_row_waits_until_its_time(leases: Leases, connection: Connection) -> None:
    lease = take(leases, connection)
    assert lease is not None
    leases.requeue(connection, lease, attempts=0, not_before=4e9)
    assert (leases.count_ready(connection), take(leases, connection)) == (0, None)
    leases.requeue(connection, lease, attempts=0)
    assert leases.ready_ids(connection, 10) == (lease.id,)


def test_closed_work_is_neither_ready_nor_leased(leases: Leases, connection: Connection) -> None:
    lease = take(leases, connection)
    assert lease is not None
    leases.close(connection, lease.id, WorkState.DONE)
    assert (leases.count_ready(connection), take(leases, connection)) == (0, None)
    assert not leases.hold(connection, lease)
