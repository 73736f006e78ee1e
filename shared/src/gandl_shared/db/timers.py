"""Timers of periodic jobs that one process of the whole installation does in each round."""

from __future__ import annotations

from sqlalchemy import update

from gandl_shared.db.engine import Transactions, now
from gandl_shared.db.tables import Timer


class TimerRepository:
    """The timers."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def claim(self, name: str, every: float) -> bool:
        """Return True if the job is due. Of all processes that ask, one gets True per `every` seconds."""
        with self._transactions.write() as connection:
            at = now(connection)
            # The test and the change are one statement, so two processes cannot both do the same round.
            due = update(Timer).where(Timer.name == name, Timer.due_at <= at).values(due_at=at + every)
            return connection.execute(due).rowcount == 1
