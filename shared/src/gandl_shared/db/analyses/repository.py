"""Analyses in the database: queued after the last batch or on request, leased by an analysis worker, versioned."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select, update

from gandl_shared.db.engine import Transactions, now
from gandl_shared.db.leases import LeasedWork, Leases, history
from gandl_shared.db.records import AnalysisRecord, LeasedAnalysis
from gandl_shared.db.screen_rows import iso_time
from gandl_shared.db.screens import read_record, read_status
from gandl_shared.db.tables import Analysis
from gandl_shared.db.transitions import end_analysis, lock_screen, queue_analysis
from gandl_shared.errors import Conflict, NotFound
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.schemas.states import AnalysisState, WorkState

_EMBEDDED = (ScreenState.DONE, ScreenState.FAILED, ScreenState.ANALYSING)
"""States of a screen whose images are done."""


class AnalysisRepository(LeasedWork[LeasedAnalysis]):
    """The analyses of all screens. Every method is one transaction."""

    def __init__(self, transactions: Transactions, *, max_attempts: int) -> None:
        super().__init__(transactions, Leases(Analysis, max_attempts))

    def queue(self, screen_id: str, parameters: AnalysisParameters) -> AnalysisRecord:
        """Queue another analysis of a screen. Raises NotFound, or Conflict while the images are not done."""
        with self._transactions.write() as connection:
            return _record(_row(connection, Analysis.id == queue_embedded(connection, screen_id, parameters)))

    def lease(self, worker: str, seconds: float, *, analysis_id: int | None = None) -> LeasedAnalysis | None:
        """Take an analysis that waits or whose lease has run out: any, or a certain one."""
        with self._transactions.write() as connection:
            row = self._leases.take(connection, worker, seconds, id=analysis_id)
            return None if row is None else _leased_analysis(connection, row)

    def finish(self, lease: LeasedAnalysis) -> bool:
        """Record that the result is stored: the screen is done. Return False if the lease was lost."""
        with self._transactions.write() as connection:
            if not self._leases.hold(connection, lease):
                return False
            # The result was stored before this step, so a crash between the two repeats the analysis and loses nothing.
            self._close(connection, lease.id, WorkState.DONE, None)
            end_analysis(connection, lease.screen_id, version=lease.version, error=None)
        return True

    def fail(self, lease: LeasedAnalysis, error: str, *, final: bool = False) -> bool:
        """Put an analysis back into the queue; after the last attempt record `error`. False if the lease was lost.

        `final` means that another attempt cannot help, for instance because there are too few wells.
        """
        with self._transactions.write() as connection:
            if not self._leases.hold(connection, lease):
                return False
            if not final and lease.attempt < self._leases.max_attempts:
                self._leases.requeue(connection, lease, attempts=lease.attempt, error=error)
            else:
                self._fail(connection, lease.id, lease.screen_id, error)
        return True

    def wait(self, lease: LeasedAnalysis, seconds: float, reason: str) -> bool:
        """Give an analysis back for `seconds`, because the store is away. Return False if the lease was lost."""
        with self._transactions.write() as connection:
            if not self._leases.hold(connection, lease):
                return False
            self._leases.wait(connection, lease, seconds, reason)
        return True

    def of_screen(self, screen_id: str) -> tuple[AnalysisRecord, ...]:
        """Return all analyses of a screen, the oldest first. Raises NotFound."""
        query = select(Analysis.__table__).where(Analysis.screen_id == screen_id).order_by(Analysis.version)
        with self._transactions.read() as connection:
            read_record(connection, screen_id)
            return tuple(_record(row) for row in connection.execute(query))

    def get(self, screen_id: str, version: int) -> AnalysisRecord:
        """Return one version of the analyses of a screen. Raises NotFound."""
        with self._transactions.read() as connection:
            return _record(_row(connection, and_(Analysis.screen_id == screen_id, Analysis.version == version)))

    def fail_exhausted(self) -> None:
        """Fail the analyses whose workers were lost in every attempt."""
        with self._transactions.read() as connection:
            analysis_ids = self._leases.exhausted(connection)
        for analysis_id in analysis_ids:
            with self._transactions.write() as connection:
                row = self._leases.hold_exhausted(connection, analysis_id)
                if row is not None:
                    error = f"the worker of the analysis was lost {row.attempts} times"
                    self._fail(connection, row.id, row.screen_id, error)

    def _fail(self, connection: Connection, analysis_id: int, screen_id: str, error: str) -> None:
        self._close(connection, analysis_id, WorkState.FAILED, error)
        end_analysis(connection, screen_id, version=None, error=error)

    def _close(self, connection: Connection, analysis_id: int, state: WorkState, error: str | None) -> None:
        self._leases.close(connection, analysis_id, state, error)
        connection.execute(update(Analysis).where(Analysis.id == analysis_id).values(finished_at=now(connection)))


def queue_embedded(connection: Connection, screen_id: str, parameters: AnalysisParameters) -> int:
    """Queue another analysis of a screen and return its id. Raises NotFound, or Conflict while images are not done."""
    state = lock_screen(connection, screen_id)
    progress = read_status(connection, screen_id).progress
    if state not in _EMBEDDED:
        raise Conflict(f"screen '{screen_id}' is {state.value}; it can be analysed once its images are done")
    # A screen can end without any vector, for instance if all of its images are damaged.
    # One whose vectors came from a table has no sites at all.
    if progress.sites and progress.done == 0:
        raise Conflict(f"screen '{screen_id}' has no vectors to analyse; retry it first")
    return queue_analysis(connection, screen_id, parameters)


def _row(connection: Connection, condition: ColumnElement[bool]) -> Row[Any]:
    row = connection.execute(select(Analysis.__table__).where(condition)).one_or_none()
    if row is None:
        raise NotFound("there is no such analysis of this screen")
    return row


def _leased_analysis(connection: Connection, row: Row[Any]) -> LeasedAnalysis:
    return LeasedAnalysis(
        id=row.id,
        screen_id=row.screen_id,
        token=row.token,
        **history(connection, row),
        version=row.version,
        parameters=AnalysisParameters.model_validate(row.parameters),
    )


def _record(row: Row[Any]) -> AnalysisRecord:
    return AnalysisRecord(
        id=row.id,
        screen_id=row.screen_id,
        version=row.version,
        state=AnalysisState.RUNNING if row.state == WorkState.LEASED else AnalysisState(row.state),
        parameters=AnalysisParameters.model_validate(row.parameters),
        error=row.error,
        created_at=iso_time(row.created_at),
        finished_at=None if row.finished_at is None else iso_time(row.finished_at),
    )
