"""Leases: how one worker takes a batch or an analysis, renews its right to it and gives it back.

A lease is a random token with an end. A worker that cannot show the token of the row writes nothing. So a worker that
was believed dead and returns does no harm.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from gandl_shared.db.engine import Transactions, now
from gandl_shared.db.records import Lease, WorkCount
from gandl_shared.db.tables import Work
from gandl_shared.db.transitions import lock_screen
from gandl_shared.errors import NotFound
from gandl_shared.schemas.states import OPEN_WORK, WorkState

_MAX_EXHAUSTED = 100  # one sweep parks at most so many; the next sweep parks more
_MIN_LOSSES = 3
"""A worker that died may not be the fault of its work, so the work is tried at least so often before it is parked."""

Condition = ColumnElement[bool]
Time = float | BindParameter[float]
LeaseT = TypeVar("LeaseT", bound=Lease)


@dataclass(frozen=True)
class Leases:
    """The leases on the rows of one table of work. A row can be taken at most `max_attempts` times."""

    table: type[Work]
    max_attempts: int

    @property
    def max_losses(self) -> int:
        """So many attempts may end with the death of a worker."""
        return max(self.max_attempts, _MIN_LOSSES)

    def waiting(self, at: Time) -> Condition:
        """The row is queued, and `not_before` has passed."""
        return and_(self.table.state == WorkState.QUEUED, self.table.not_before <= at)

    def expired(self, at: Time) -> Condition:
        """The row has a lease that its worker did not renew in time."""
        return and_(self.table.state == WorkState.LEASED, self.table.leased_until < at)

    def ready(self, at: float) -> Condition:
        """No worker has a valid lease on the row, and it is due."""
        return or_(self.waiting(at), self.expired(at))

    def take(self, connection: Connection, worker: str, seconds: float, **of: str | int | None) -> Row[Any] | None:
        """Lease the oldest row whose worker was lost, or else the oldest that waits; None if there is none.

        Only rows count whose columns have the values `of`; None stands for any value. PostgreSQL skips rows that other
        workers are taking at this moment.
        """
        at = now(connection)
        columns = [name for name, value in of.items() if value is not None]
        # Two queries, because one query with "or" could not walk an index of many thousand batches.
        work_id = lost_id = connection.execute(_oldest_lost(self, *columns), {"at": at, **of}).scalar_one_or_none()
        if work_id is None:
            work_id = connection.execute(_oldest_queued(self, *columns), {"at": at, **of}).scalar_one_or_none()
        if work_id is None:
            return None
        values = {"state": WorkState.LEASED, "token": uuid.uuid4().hex, "worker": worker, "leased_until": at + seconds}
        lost = int(lost_id is not None)
        return connection.execute(self._lease, {"work_id": work_id, "lost": lost, **values}).one()

    def holders(self, connection: Connection) -> tuple[str, ...]:
        """Return the names of the workers that have a lease."""
        query = select(self.table.worker).where(self.table.state == WorkState.LEASED).distinct()
        return tuple(name for name in connection.scalars(query) if name is not None)

    def expire(self, connection: Connection, workers: Sequence[str]) -> int:
        """End the leases of these workers; return how many."""
        own = and_(self.table.state == WorkState.LEASED, self.table.worker.in_(workers))
        return connection.execute(update(self.table).where(own).values(leased_until=0.0)).rowcount

    def renew(self, connection: Connection, lease: Lease, seconds: float) -> bool:
        """Move the end of a lease to `seconds` from now. Return False if the lease was lost."""
        # A lease that has run out may still be renewed while no other worker has taken the row, so no work is lost.
        own = and_(self.table.id == lease.id, self.table.token == lease.token)
        change = update(self.table).where(own).values(leased_until=now(connection) + seconds)
        return connection.execute(change).rowcount == 1

    def hold(self, connection: Connection, lease: Lease) -> bool:
        """Lock the screen and the row until the transaction ends. Return False if the lease was lost.

        The leases of a deleted screen are lost.
        """
        try:
            lock_screen(connection, lease.screen_id)
        except NotFound:
            return False
        # The token is tested after the lock, because the lease may be lost while this transaction waits for the lock.
        own = {"work_id": lease.id, "of_lease": lease.token}
        return connection.execute(self._hold, own).one_or_none() is not None

    def requeue(
        self,
        connection: Connection,
        lease: Lease,
        *,
        attempts: int,
        error: str | None = None,
        not_before: float = 0.0,
    ) -> None:
        """Put the row of a lease back into the queue, with so many attempts counted."""
        values = {"attempts": attempts, "not_before": not_before}
        self._end_lease(connection, lease.id, WorkState.QUEUED, error, **values)

    def wait(self, connection: Connection, lease: Lease, seconds: float, reason: str) -> float:
        """Put the row of a lease back for `seconds`, because something is away, and return when it is due.

        The attempt does not count.
        """
        at = now(connection)
        self.requeue(connection, lease, attempts=lease.attempt - 1, not_before=at + seconds)
        self.delay(connection, self.table.id == lease.id, at=at, until=at + seconds, waits=lease.waits + 1, why=reason)
        return at + seconds

    def delay(
        self, connection: Connection, condition: Condition, *, at: float, until: float, waits: int, why: str
    ) -> None:
        """Let rows wait from now, `at`, for the same reason."""
        since = func.coalesce(self.table.waiting_since, at)
        values = {"not_before": until, "waiting": why, "waits": waits, "waiting_since": since}
        connection.execute(update(self.table).where(condition).values(**values))

    def resume(self, connection: Connection, screen_id: str) -> None:
        """Let no row of a screen wait any longer, because what was away is back."""
        own = and_(self.table.screen_id == screen_id, self.table.waiting.is_not(None))
        values = {"not_before": 0.0, "waiting": None, "waits": 0, "waiting_since": None}
        connection.execute(update(self.table).where(own).values(**values))

    def doubt(self, connection: Connection, lease: Lease, error: str) -> None:
        """Put the row of a lease back as if its worker had died, so that the next one is careful with it."""
        self.requeue(connection, lease, attempts=lease.attempt, error=error)
        connection.execute(update(self.table).where(self.table.id == lease.id).values(losses=self.table.losses + 1))

    def close(self, connection: Connection, work_id: int, state: WorkState, error: str | None = None) -> None:
        """End the work of a row in `state`."""
        self._end_lease(connection, work_id, state, error, waiting=None, waits=0, waiting_since=None)

    def exhausted(self, connection: Connection) -> list[int]:
        """Return ids of rows whose workers were lost in every attempt."""
        query = select(self.table.id).where(self._is_exhausted(now(connection))).limit(_MAX_EXHAUSTED)
        return list(connection.scalars(query))

    def hold_exhausted(self, connection: Connection, work_id: int) -> Row[Any] | None:
        """Lock an exhausted row and its screen; None if it is no longer there or no longer exhausted."""
        # The screen must be locked before the row, but only the row names its screen.
        # Therefore the row is read twice, and its state counts only under the lock.
        owner = connection.execute(select(self.table.screen_id).where(self.table.id == work_id)).scalar_one_or_none()
        if owner is None:
            return None
        lock_screen(connection, owner)
        condition = and_(self.table.id == work_id, self._is_exhausted(now(connection)))
        return connection.execute(select(self.table.__table__).where(condition).with_for_update()).one_or_none()

    def count_open(self, connection: Connection) -> WorkCount:
        """Count the open rows by what can be done with them."""
        at = now(connection)
        away = and_(self.table.state == WorkState.QUEUED, self.table.not_before > at, self.table.waiting.is_not(None))
        leased = and_(self.table.state == WorkState.LEASED, self.table.leased_until >= at)
        columns = [func.sum(case((condition, 1), else_=0)) for condition in (self.ready(at), leased, away)]
        row = connection.execute(select(*columns).where(self.table.state.in_(OPEN_WORK))).one()
        ready, leases, waiting = (int(number or 0) for number in row)
        return WorkCount(ready=ready, leased=leases, away=waiting)

    def count_ready(self, connection: Connection) -> int:
        """Count the rows that a worker could take now."""
        query = select(func.count()).select_from(self.table).where(self.ready(now(connection)))
        return connection.execute(query).scalar_one()

    def ready_ids(self, connection: Connection, limit: int) -> tuple[int, ...]:
        """Return ids of rows that a worker could take now, the newest first."""
        query = select(self.table.id).where(self.ready(now(connection))).order_by(self.table.id.desc()).limit(limit)
        return tuple(connection.scalars(query))

    def _is_exhausted(self, at: float) -> Condition:
        failures = and_(self.waiting(at), self.table.attempts >= self.max_attempts)
        return or_(failures, and_(self.expired(at), self.table.attempts >= self.max_losses))

    def _end_lease(
        self, connection: Connection, work_id: int, state: WorkState, error: str | None, **values: float | None
    ) -> None:
        # Without the token in the row, the worker that had the lease can no longer write.
        ended = {"state": state, "token": None, "leased_until": None, "error": error, **values}
        connection.execute(self._change, {"work_id": work_id, **ended})

    # Statements that every batch needs are built once, because to build one costs four times as much as to run it.

    @cached_property
    def _change(self) -> Update:
        """Set the columns of a row that its parameters name."""
        return update(self.table).where(self.table.id == bindparam("work_id"))

    @cached_property
    def _lease(self) -> Update:
        # The attempt is counted at its start, because a worker that is killed cannot count it at the end.
        counts = {"attempts": self.table.attempts + 1, "losses": self.table.losses + bindparam("lost")}
        return self._change.values(**counts).returning(self.table.__table__)

    @cached_property
    def _hold(self) -> Select[Any]:
        own = (self.table.id == bindparam("work_id"), self.table.token == bindparam("of_lease"))
        return select(self.table.id).where(*own).with_for_update()


@cache
def _oldest_lost(leases: Leases, *columns: str) -> Select[Any]:
    return _oldest(leases, columns).where(leases.expired(bindparam("at")), leases.table.attempts < leases.max_losses)


@cache
def _oldest_queued(leases: Leases, *columns: str) -> Select[Any]:
    # A row that has used all its attempts is left to the sweep, which records the failure.
    return _oldest(leases, columns).where(leases.waiting(bindparam("at")), leases.table.attempts < leases.max_attempts)


def _oldest(leases: Leases, columns: Sequence[str]) -> Select[Any]:
    table = leases.table
    query = select(table.id).where(*(getattr(table, name) == bindparam(name) for name in columns))
    return query.order_by(table.id).limit(1).with_for_update(skip_locked=True)


class LeasedWork(Generic[LeaseT]):
    """What the repositories of batches and of analyses have in common. Every method is one transaction."""

    def __init__(self, transactions: Transactions, leases: Leases) -> None:
        self._transactions = transactions
        self._leases = leases

    def holders(self) -> tuple[str, ...]:
        """Return the names of the workers that have a lease."""
        with self._transactions.read() as connection:
            return self._leases.holders(connection)

    def expire(self, workers: Sequence[str]) -> int:
        """End the leases of workers that are dead; return how many."""
        with self._transactions.write() as connection:
            return self._leases.expire(connection, workers)

    def renew(self, lease: LeaseT, seconds: float) -> bool:
        """Extend a lease to `seconds` from now. Return False if it was lost: the worker should stop."""
        with self._transactions.write() as connection:
            return self._leases.renew(connection, lease, seconds)

    def count_open(self) -> WorkCount:
        """Count the open work by what can be done with it."""
        with self._transactions.read() as connection:
            return self._leases.count_open(connection)

    def count_ready(self) -> int:
        """Count the work that a worker could take now."""
        with self._transactions.read() as connection:
            return self._leases.count_ready(connection)

    def ready_ids(self, limit: int) -> tuple[int, ...]:
        """Return ids of work that a worker could take now, the newest first."""
        with self._transactions.read() as connection:
            return self._leases.ready_ids(connection, limit)


def history(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """Return what a Lease says about earlier attempts: waits, the seconds since the first one, and lost workers."""
    waited = 0.0 if row.waiting_since is None else max(0.0, now(connection) - row.waiting_since)
    return {"attempt": row.attempts, "waits": row.waits, "waited": waited, "losses": row.losses}
