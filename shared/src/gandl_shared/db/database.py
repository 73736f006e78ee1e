"""`Database`: the truth about all screens."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from gandl_shared.db.analyses.decisions import DecisionRepository
from gandl_shared.db.analyses.repository import AnalysisRepository
from gandl_shared.db.batches import BatchRepository
from gandl_shared.db.engine import Transactions, full_disk, open_engine
from gandl_shared.db.records import Waiting, WorkCounts
from gandl_shared.db.screens import ScreenRepository
from gandl_shared.db.tables import Screen, Timer
from gandl_shared.db.timers import TimerRepository
from gandl_shared.errors import Unavailable

MAX_ATTEMPTS = 3
"""A batch or analysis that has failed so many times is parked."""


class Database:
    """The database, with one repository per kind of row. Every method of a repository is one transaction.

    All methods raise Unavailable when the server is away. Threads may share a database; a process opens its own after
    it was forked.
    """

    def __init__(self, engine: Engine, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        self._transactions = transactions = Transactions(engine)
        self._engine = engine
        self.screens = ScreenRepository(transactions)
        self.batches = BatchRepository(transactions, max_attempts=max_attempts)
        self.analyses = AnalysisRepository(transactions, max_attempts=max_attempts)
        self.decisions = DecisionRepository(transactions)
        self.timers = TimerRepository(transactions)

    @classmethod
    def connect(cls, url: str, *, max_attempts: int = MAX_ATTEMPTS) -> Database:
        """Open `sqlite:///FILE` or `postgresql://…` and migrate its tables to the newest version.

        Raises Malformed, Unavailable, Conflict.
        """
        return cls(open_engine(url), max_attempts=max_attempts)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def trouble(self) -> str | None:
        """Return why the database cannot be read, or written for want of room, or None if it can."""
        try:
            with self._transactions.read() as connection:
                connection.execute(select(Timer.name).limit(1))
                return full_disk(connection)
        except Unavailable as error:
            return error.detail

    def work_counts(self) -> WorkCounts:
        """Count all open work and all screens."""
        with self._transactions.read() as connection:
            rows = connection.execute(select(Screen.state, func.count()).group_by(Screen.state))
            screens = {str(state): int(count) for state, count in rows}
        return WorkCounts(batches=self.batches.count_open(), analyses=self.analyses.count_open(), screens=screens)

    def waiting(self) -> Waiting:
        """Count the work that a worker could take now."""
        return Waiting(batches=self.batches.count_ready(), analyses=self.analyses.count_ready())

    def park_exhausted(self) -> tuple[int, ...]:
        """Park batches and fail analyses whose workers were lost in every attempt.

        Return the ids of the analyses that this queued.
        """
        queued = self.batches.park_exhausted()
        self.analyses.fail_exhausted()
        return queued
