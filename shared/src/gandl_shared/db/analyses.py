"""Analyses of screens: queued when the last batch lands or on request, leased by an analysis worker, versioned."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from gandl_shared.db import screens
from gandl_shared.db.engine import now
from gandl_shared.db.records import AnalysisRecord, LeasedAnalysis
from gandl_shared.db.screens import DONE, LEASED, OPEN, QUEUED
from gandl_shared.db.tables import Analysis, Screen
from gandl_shared.errors import Conflict, NotFound
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenState


def add(connection: Connection, screen_id: str, parameters: AnalysisParameters) -> int:
    """Queue the next version of a screen whose row is locked; the analysis' id."""
    newest = connection.execute(select(func.max(Analysis.version)).where(Analysis.screen_id == screen_id)).scalar()
    values = {
        "screen_id": screen_id,
        "version": (newest or 0) + 1,
        "state": QUEUED,
        "parameters": parameters.model_dump(mode="json"),
        "created_at": now(connection),
    }
    added = connection.execute(insert(Analysis).values(**values).returning(Analysis.id)).scalar_one()
    screens.analysing(connection, screen_id)
    return added


def queue(connection: Connection, screen_id: str, parameters: AnalysisParameters) -> AnalysisRecord:
    """Queue an analysis of a screen whose images are done. Raises NotFound, Conflict."""
    state = screens.lock(connection, screen_id)
    progress = screens.status(connection, screen_id).progress
    if state not in (ScreenState.DONE, ScreenState.FAILED, ScreenState.ANALYSING):
        raise Conflict(f"screen '{screen_id}' is {state.value}; it can be analysed once its images are done")
    if progress.done == 0:
        raise Conflict(f"screen '{screen_id}' has no vectors to analyse; retry it first")
    return _record(_one(connection, Analysis.id == add(connection, screen_id, parameters)))


def lease(
    connection: Connection, worker: str, seconds: float, analysis_id: int | None, most: int
) -> LeasedAnalysis | None:
    """Take a queued analysis (that one, if an id is given), or one whose worker was lost."""
    at = now(connection)
    query = select(Analysis.__table__).where(ready(at), Analysis.attempts < most).order_by(Analysis.id).limit(1)
    if analysis_id is not None:
        query = query.where(Analysis.id == analysis_id)
    row = connection.execute(query.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    token = uuid.uuid4().hex
    values = {"state": LEASED, "token": token, "worker": worker, "leased_until": at + seconds}
    connection.execute(update(Analysis).where(Analysis.id == row.id).values(**values, attempts=Analysis.attempts + 1))
    parameters = AnalysisParameters.model_validate(row.parameters)
    return LeasedAnalysis(row.id, row.screen_id, row.version, token, row.attempts + 1, parameters)


def ready(at: float) -> Any:  # a boolean expression of SQLAlchemy
    """Queued and due, or leased by a worker that is gone."""
    waiting = and_(Analysis.state == QUEUED, Analysis.not_before <= at)
    return or_(waiting, and_(Analysis.state == LEASED, Analysis.leased_until < at))


def finish(connection: Connection, leased: LeasedAnalysis) -> bool:
    """The result is stored. False where the lease was lost."""
    if not _holds(connection, leased):
        return False
    _close(connection, leased.id, DONE, None)
    newest = connection.execute(select(Screen.analysis_version).where(Screen.id == leased.screen_id)).scalar_one()
    _settle(connection, leased.screen_id, max(newest or 0, leased.version), None)
    return True


def fail(connection: Connection, leased: LeasedAnalysis, error: str, *, final: bool, most: int) -> bool:
    """Queue it again, or after `most` attempts (or if `final`) record the error. False where the lease was lost."""
    if not _holds(connection, leased):
        return False
    if not final and leased.attempt < most:
        values = {"state": QUEUED, "token": None, "leased_until": None, "error": error}
        connection.execute(update(Analysis).where(Analysis.id == leased.id).values(**values))
    else:
        _close(connection, leased.id, "failed", error)
        _settle(connection, leased.screen_id, None, error)
    return True


def retry(connection: Connection, screen_id: str) -> int | None:
    """Queue what a screen lacks: parked and cancelled sites, else the analysis it has not got. Raises Conflict."""
    if screens.reopen(connection, screen_id):
        return None
    record = screens.record(connection, screen_id)
    if record.state is ScreenState.DONE:
        raise Conflict(f"screen '{screen_id}' is done and has no parked sites: there is nothing to retry")
    return add(connection, screen_id, record.request.analysis)


def exhausted(connection: Connection, most: int) -> list[int]:
    """Analyses whose workers were lost in every attempt they had."""
    at = now(connection)
    return list(connection.scalars(select(Analysis.id).where(ready(at), Analysis.attempts >= most).limit(100)))


def park_exhausted(connection: Connection, analysis_id: int, most: int) -> None:
    """Fail an analysis that lost its worker too often."""
    owner = _one(connection, Analysis.id == analysis_id).screen_id
    screens.lock(connection, owner)
    row = connection.execute(
        select(Analysis.__table__)
        .where(Analysis.id == analysis_id, ready(now(connection)), Analysis.attempts >= most)
        .with_for_update()
    ).one_or_none()
    if row is not None:
        error = f"the worker of the analysis was lost {row.attempts} times"
        _close(connection, row.id, "failed", error)
        _settle(connection, owner, None, error)


def listed(connection: Connection, screen_id: str) -> tuple[AnalysisRecord, ...]:
    """All analyses of a screen, oldest first. Raises NotFound."""
    screens.record(connection, screen_id)
    rows = connection.execute(
        select(Analysis.__table__).where(Analysis.screen_id == screen_id).order_by(Analysis.version)
    )
    return tuple(_record(row) for row in rows)


def found(connection: Connection, screen_id: str, version: int) -> AnalysisRecord:
    """One version. Raises NotFound."""
    return _record(_one(connection, and_(Analysis.screen_id == screen_id, Analysis.version == version)))


def _one(connection: Connection, which: Any) -> Row[Any]:  # `which`: a boolean expression of SQLAlchemy
    row = connection.execute(select(Analysis.__table__).where(which)).one_or_none()
    if row is None:
        raise NotFound("there is no such analysis of this screen")
    return row


def _holds(connection: Connection, leased: LeasedAnalysis) -> bool:
    """Whether the lease still counts; then screen and analysis stay locked. A deleted screen has no leases."""
    try:
        screens.lock(connection, leased.screen_id)
    except NotFound:
        return False
    query = select(Analysis.id).where(Analysis.id == leased.id, Analysis.token == leased.token)
    return connection.execute(query.with_for_update()).one_or_none() is not None


def _close(connection: Connection, analysis_id: int, state: str, error: str | None) -> None:
    values = {"state": state, "token": None, "leased_until": None, "error": error, "finished_at": now(connection)}
    connection.execute(update(Analysis).where(Analysis.id == analysis_id).values(**values))


def _settle(connection: Connection, screen_id: str, version: int | None, error: str | None) -> None:
    """The screen's state once an analysis has ended: still analysing while another is open, and done if any has
    succeeded."""
    waiting = select(func.count()).where(Analysis.screen_id == screen_id, Analysis.state.in_(OPEN))
    before = connection.execute(select(Screen.analysis_version).where(Screen.id == screen_id)).scalar_one()
    if version is None and before is None and error is not None:
        screens.fail(connection, screen_id, error)
    else:
        screens.done(connection, screen_id, version)
    if connection.execute(waiting).scalar_one():
        screens.analysing(connection, screen_id)


def _record(row: Row[Any]) -> AnalysisRecord:
    return AnalysisRecord(
        id=row.id,
        screen_id=row.screen_id,
        version=row.version,
        state="running" if row.state == LEASED else row.state,
        parameters=AnalysisParameters.model_validate(row.parameters),
        error=row.error,
        created_at=screens.iso(row.created_at),
        finished_at=None if row.finished_at is None else screens.iso(row.finished_at),
    )
