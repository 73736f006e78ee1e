"""Batches: who works on which, and what happens when they are given back.

A lease is a random token with an end. Whoever cannot show the token of the row writes nothing, so a worker that was
thought dead and comes back does no harm.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select, update

from gandl_shared.db import analyses, screens
from gandl_shared.db.engine import now
from gandl_shared.db.records import FinishedBatch, LeasedBatch, LeasedSite, ModelUse
from gandl_shared.db.screens import DONE, LEASED, OPEN, PARKED, QUEUED
from gandl_shared.db.tables import Batch, Plate, Screen, Site, Well
from gandl_shared.errors import NotFound
from gandl_shared.plates import Site as MapSite
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenState


def waiting(at: float) -> Any:  # a boolean expression of SQLAlchemy
    """Queued and due."""
    return and_(Batch.state == QUEUED, Batch.not_before <= at)


def expired(at: float) -> Any:  # a boolean expression of SQLAlchemy
    """Leased by a worker that is gone."""
    return and_(Batch.state == LEASED, Batch.leased_until < at)


def ready(at: float) -> Any:  # a boolean expression of SQLAlchemy
    """Nobody holds a lease on it, and it is due."""
    return or_(waiting(at), expired(at))


def lease(
    connection: Connection, worker: str, seconds: float, *, screen_id: str | None, batch_id: int | None, most: int
) -> LeasedBatch | None:
    """Take a batch whose worker is gone, else the oldest that waits.

    On PostgreSQL rows that others are just taking are stepped over.
    """
    at = now(connection)
    query = select(Batch.__table__).where(Batch.attempts < most).order_by(Batch.id).limit(1)
    if screen_id is not None:
        query = query.where(Batch.screen_id == screen_id)
    if batch_id is not None:
        query = query.where(Batch.id == batch_id)
    query = query.with_for_update(skip_locked=True)
    # Two questions rather than one with "or": each walks an index, however many batches there are.
    row = connection.execute(query.where(expired(at))).one_or_none()
    row = row or connection.execute(query.where(waiting(at))).one_or_none()
    if row is None:
        return None
    token = uuid.uuid4().hex
    values = {"state": LEASED, "token": token, "worker": worker, "leased_until": at + seconds}
    connection.execute(update(Batch).where(Batch.id == row.id).values(**values, attempts=Batch.attempts + 1))
    return _leased(connection, row, token)


def renew(connection: Connection, leased: LeasedBatch, seconds: float) -> bool:
    """Move the end of a lease to `seconds` from now. False where it was lost."""
    values = {"leased_until": now(connection) + seconds}
    held = and_(Batch.id == leased.id, Batch.token == leased.token)
    return connection.execute(update(Batch).where(held).values(**values)).rowcount == 1


def finish(
    connection: Connection, leased: LeasedBatch, done: Mapping[int, str], parked: Mapping[int, str]
) -> FinishedBatch:
    """Record the sites of a batch, close it, and queue the analysis if it was the last."""
    if not _holds(connection, leased):
        return FinishedBatch(leased.screen_id, accepted=False)
    _write_sites(connection, leased.screen_id, done, parked)
    _close(connection, leased.id, DONE, None)
    return FinishedBatch(leased.screen_id, accepted=True, analysis_id=_land(connection, leased.screen_id))


def fail(connection: Connection, leased: LeasedBatch, error: str, most: int) -> FinishedBatch:
    """Back to the queue, or after `most` attempts parked with the error."""
    if not _holds(connection, leased):
        return FinishedBatch(leased.screen_id, accepted=False)
    if leased.attempt < most:
        _requeue(connection, leased, error=error, not_before=0.0, attempts=leased.attempt)
        return FinishedBatch(leased.screen_id, accepted=True)
    _park(connection, leased.id, leased.screen_id, leased.number, error)
    return FinishedBatch(leased.screen_id, accepted=True, analysis_id=_land(connection, leased.screen_id))


def release(connection: Connection, leased: LeasedBatch, delay: float) -> bool:
    """Back to the queue for `delay` seconds through no fault of the batch: the attempt does not count."""
    if not _holds(connection, leased):
        return False
    until = now(connection) + delay
    _requeue(connection, leased, error=None, not_before=until, attempts=leased.attempt - 1)
    return True


def exhausted(connection: Connection, most: int) -> list[int]:
    """Batches whose workers were lost in every attempt they had."""
    at = now(connection)
    return list(connection.scalars(select(Batch.id).where(ready(at), Batch.attempts >= most).limit(100)))


def park_exhausted(connection: Connection, batch_id: int, most: int) -> int | None:
    """Park one of those; the analysis that this queued, if it was the last batch."""
    owner = connection.execute(select(Batch.screen_id).where(Batch.id == batch_id)).scalar_one_or_none()
    if owner is None:
        return None
    screens.lock(connection, owner)
    still = and_(Batch.id == batch_id, ready(now(connection)), Batch.attempts >= most)
    row = connection.execute(select(Batch.__table__).where(still).with_for_update()).one_or_none()
    if row is None:
        return None
    _park(connection, row.id, owner, row.number, f"the worker was lost {row.attempts} times on this batch")
    return _land(connection, owner)


def _leased(connection: Connection, row: Row[Any], token: str) -> LeasedBatch:
    screen = connection.execute(select(Screen.__table__).where(Screen.id == row.screen_id)).one()
    sites = connection.execute(
        select(Plate.name, Well.name, Site.name, Site.number, Site.files, Site.key)
        .join(Well, (Well.screen_id == Site.screen_id) & (Well.number == Site.well))
        .join(Plate, (Plate.screen_id == Well.screen_id) & (Plate.number == Well.plate))
        .where(Site.screen_id == row.screen_id, Site.batch == row.number)
        .order_by(Site.number)
    )
    root = Path(screen.images)
    return LeasedBatch(
        id=row.id,
        screen_id=row.screen_id,
        number=row.number,
        token=token,
        attempt=row.attempts + 1,
        model=ModelUse(screen.model, screen.model_id, screen.size, screen.downscale),
        limits=screens.limits_of(connection, row.screen_id),
        sites=tuple(
            LeasedSite(number, MapSite(plate, well, name, root, tuple(files)), key)
            for plate, well, name, number, files, key in sites
        ),
    )


def _holds(connection: Connection, leased: LeasedBatch) -> bool:
    """Whether the lease still counts; then screen and batch stay locked. A deleted screen has no leases."""
    try:
        screens.lock(connection, leased.screen_id)
    except NotFound:
        return False
    query = select(Batch.id).where(Batch.id == leased.id, Batch.token == leased.token)
    return connection.execute(query.with_for_update()).one_or_none() is not None


def _write_sites(connection: Connection, screen_id: str, done: Mapping[int, str], parked: Mapping[int, str]) -> None:
    rows = [{"n": n, "state": DONE, "key": key, "error": None} for n, key in done.items()]
    rows += [{"n": n, "state": PARKED, "key": None, "error": error} for n, error in parked.items()]
    if rows:
        table = Site.__table__
        where = and_(table.c.screen_id == screen_id, table.c.number == bindparam("n"))
        changes: dict[str, Any] = {name: bindparam(name) for name in ("state", "key", "error")}
        connection.execute(update(Site).where(where).values(changes), rows)


def _requeue(
    connection: Connection, leased: LeasedBatch, *, error: str | None, not_before: float, attempts: int
) -> None:
    values = {"state": QUEUED, "token": None, "leased_until": None, "error": error}
    where = Batch.id == leased.id
    connection.execute(update(Batch).where(where).values(**values, not_before=not_before, attempts=attempts))


def _close(connection: Connection, batch_id: int, state: str, error: str | None) -> None:
    values = {"state": state, "token": None, "leased_until": None, "error": error}
    connection.execute(update(Batch).where(Batch.id == batch_id).values(**values))


def _park(connection: Connection, batch_id: int, screen_id: str, number: int, error: str) -> None:
    _close(connection, batch_id, PARKED, error)
    still = and_(Site.screen_id == screen_id, Site.batch == number, Site.state == QUEUED)
    connection.execute(update(Site).where(still).values(state=PARKED, error=error))


def _land(connection: Connection, screen_id: str) -> int | None:
    """If no batch of the locked screen is open, queue its analysis, or fail it where no site could be read."""
    still_open = select(Batch.id).where(Batch.screen_id == screen_id, Batch.state.in_(OPEN)).limit(1)
    state = connection.execute(select(Screen.state).where(Screen.id == screen_id)).scalar_one()
    if state != ScreenState.QUEUED or connection.execute(still_open).first():
        return None
    done = select(Site.number).where(Site.screen_id == screen_id, Site.state == DONE).limit(1)
    if connection.execute(done).first() is None:
        first = screens.parked(connection, screen_id)[0]
        where = f"plate {first.plate}, well {first.well}, site {first.site}"
        screens.fail(connection, screen_id, f"no site could be embedded; the first ({where}): {first.error}")
        return None
    request = connection.execute(select(Screen.request).where(Screen.id == screen_id)).scalar_one()
    return analyses.add(connection, screen_id, AnalysisParameters.model_validate(request["analysis"]))
