"""Screens in the database: created, listed with their progress, cancelled, retried, deleted."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from gandl_shared.db.engine import Transactions, full_disk, now
from gandl_shared.db.records import NewScreen, RequestKey, ScreenRecord, SiteRecord
from gandl_shared.db.screen_rows import (
    count_sites,
    insert_screen,
    iso_time,
    model_use,
    noted_sites,
    parked_sites,
    read_intensities,
    read_limits,
    read_plate_map,
    read_sites,
)
from gandl_shared.db.tables import Analysis, Batch, Plate, Screen, Site
from gandl_shared.db.transitions import lock_screen, queue_analysis, set_screen_state
from gandl_shared.errors import Conflict, Invalid, NotFound, without_folders
from gandl_shared.plates import PlateMap
from gandl_shared.plates import Well as MapWell
from gandl_shared.schemas.image_layout import ImageLayout
from gandl_shared.schemas.screen import Progress, ScreenRequest, ScreenState, ScreenStatus, summary_of
from gandl_shared.schemas.states import OPEN_WORK, SiteState, WorkState

_IDS_PER_QUERY = 1000  # SQLite takes at most 32766 values in one query
_RUNNING = (ScreenState.QUEUED, ScreenState.ANALYSING)


class ScreenRepository:
    """The screens. Methods that name a screen raise NotFound if there is none of that id."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def create(self, new: NewScreen, *, screen_id: str | None = None, request: RequestKey | None = None) -> str:
        """Write a screen with all its rows; return its id. Raises Conflict if a screen has the key of the request."""
        screen_id = screen_id or secrets.token_hex(8)
        with _one_per_key(request), self._transactions.write() as connection:
            insert_screen(connection, screen_id, new, now(connection), request)
        return screen_id

    def create_embedded(self, screen_id: str, new: NewScreen, *, request: RequestKey | None = None) -> int:
        """Write a screen whose vectors are in the store already, and queue its analysis; return the analysis' id.

        Raises Conflict if a screen has the key of the request.
        """
        with _one_per_key(request), self._transactions.write() as connection:
            insert_screen(connection, screen_id, new, now(connection), request)
            return queue_analysis(connection, screen_id, new.request.analysis)

    def of_request(self, request: RequestKey) -> str | None:
        """Return the id of the screen that the same request has made already, or None.

        Raises Invalid if another request had the same key.
        """
        query = select(Screen.id, Screen.fingerprint).where(Screen.idempotency_key == request.key)
        with self._transactions.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is not None and row.fingerprint != request.fingerprint:
            detail = f"the Idempotency-Key '{request.key}' belongs to another request, that of screen '{row.id}'"
            raise Invalid(f"{detail}; give each new request a key of its own")
        return None if row is None else str(row.id)

    def get(self, screen_id: str) -> ScreenRecord:
        """Return a screen as it was submitted."""
        with self._transactions.read() as connection:
            return read_record(connection, screen_id)

    def status(self, screen_id: str) -> ScreenStatus:
        """Return state, progress and parked sites."""
        with self._transactions.read() as connection:
            return read_status(connection, screen_id)

    def statuses(self) -> tuple[ScreenStatus, ...]:
        """Return all screens, the newest first, without the lists of their parked sites."""
        with self._transactions.read() as connection:
            return tuple(_statuses(connection, _newest_first(connection)))

    def page(self, offset: int, limit: int) -> tuple[tuple[ScreenStatus, ...], int]:
        """Return at most `limit` of these from number `offset` on, and how many screens there are."""
        with self._transactions.read() as connection:
            total = connection.execute(select(func.count()).select_from(Screen)).scalar_one()
            return tuple(_statuses(connection, _newest_first(connection, offset, limit))), total

    def plate_map(self, screen_id: str) -> PlateMap:
        """Return the plate map as it was submitted."""
        with self._transactions.read() as connection:
            read_record(connection, screen_id)
            return read_plate_map(connection, screen_id)

    def wells(self, screen_id: str) -> tuple[MapWell, ...]:
        """Return the wells of the plate map in its order; empty wells are among them."""
        return self.plate_map(screen_id).wells

    def sites(self, screen_id: str, plate: str, well: str | None = None) -> tuple[SiteRecord, ...]:
        """Return the sites of a plate, or of one of its wells, in plate map order; there may be none."""
        with self._transactions.read() as connection:
            images = Path(_row(connection, screen_id).images)
            return read_sites(connection, screen_id, images, plate, well)

    def cancel(self, screen_id: str) -> None:
        """Stop a running screen; its workers lose their leases. Raises Conflict if it does not run."""
        with self._transactions.write() as connection:
            state = lock_screen(connection, screen_id)
            if state not in _RUNNING:
                raise Conflict(f"screen '{screen_id}' is {state.value}; only a running screen can be cancelled")
            # A running worker loses its token, sees this at its next renewal, and stops.
            for table in (Batch, Analysis):
                change = update(table).where(table.screen_id == screen_id, table.state.in_(OPEN_WORK))
                connection.execute(change.values(state=WorkState.CANCELLED, token=None, leased_until=None))
            set_screen_state(connection, screen_id, ScreenState.CANCELLED, finished_at=now(connection))

    def retry(self, screen_id: str) -> int | None:
        """Queue parked and cancelled sites again. If all sites are done, queue an analysis and return its id.

        Raises Conflict if the screen is running, or if it is done and has no parked sites.
        """
        with self._transactions.write() as connection:
            if _requeue_sites(connection, screen_id):
                return None
            record = read_record(connection, screen_id)
            if record.state is ScreenState.DONE:
                raise Conflict(f"screen '{screen_id}' is done and has no parked sites: there is nothing to retry")
            return queue_analysis(connection, screen_id, record.request.analysis)

    def delete(self, screen_id: str) -> None:
        """Delete all rows of a screen; its workers lose their leases."""
        with self._transactions.write() as connection:
            lock_screen(connection, screen_id)
            connection.execute(delete(Screen).where(Screen.id == screen_id))


@contextmanager
def _one_per_key(request: RequestKey | None) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if request is None:
            raise
        # Ids are drawn at random, so the key of the request is what two screens can share.
        raise Conflict(f"there is a screen of a request with the Idempotency-Key '{request.key}'") from error


def read_record(connection: Connection, screen_id: str) -> ScreenRecord:
    """Return a screen as it was submitted. Raises NotFound."""
    row = _row(connection, screen_id)
    return ScreenRecord(
        id=row.id,
        name=row.name,
        state=ScreenState(row.state),
        images=Path(row.images),
        model=model_use(row),
        request=ScreenRequest.model_validate(row.request),
        limits=read_limits(connection, screen_id),
        layout=_layout(row),
        intensities=read_intensities(connection, screen_id),
        error=row.error,
        analysis_version=row.analysis_version,
        notes=tuple(row.notes or ()),
    )


def read_status(connection: Connection, screen_id: str) -> ScreenStatus:
    """Return state, progress, parked sites and notes. Raises NotFound."""
    row = _row(connection, screen_id)
    (status,) = _statuses(connection, [row])
    layout = _layout(row)
    details = {
        "image_layout": None if layout is None else layout.layout,
        "channel_order": None if layout is None else layout.channel_text,
        "notes": tuple(row.notes or ()),
        "parked": parked_sites(connection, screen_id),
        "noted": noted_sites(connection, screen_id),
        "intensities": read_intensities(connection, screen_id),
    }
    return status.model_copy(update=details)


def _row(connection: Connection, screen_id: str) -> Row[Any]:
    row = connection.execute(select(Screen.__table__).where(Screen.id == screen_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no screen '{screen_id}'")
    return row


def _layout(row: Row[Any]) -> ImageLayout | None:
    return None if row.layout is None else ImageLayout.model_validate(row.layout)


def _newest_first(connection: Connection, offset: int = 0, limit: int | None = None) -> list[Row[Any]]:
    # Screens of the same time need an order too, or a screen could be on two pages and another on none.
    query = select(Screen.__table__).order_by(Screen.created_at.desc(), Screen.id)
    return list(connection.execute(query.offset(offset).limit(limit)))


def _requeue_sites(connection: Connection, screen_id: str) -> int:
    """Queue the parked and cancelled sites of a screen that has ended; return their number. Raises Conflict."""
    if lock_screen(connection, screen_id) in _RUNNING:
        raise Conflict(f"screen '{screen_id}' is still running; cancel it first or wait")
    parked = update(Site).where(Site.screen_id == screen_id, Site.state == SiteState.PARKED)
    connection.execute(parked.values(state=SiteState.QUEUED, error=None))
    count_sites(connection, screen_id)
    # Whole batches are queued, because a worker does not embed sites again whose vectors are stored.
    batches = select(Site.batch).where(Site.screen_id == screen_id, Site.state == SiteState.QUEUED)
    sites = connection.execute(select(func.count()).select_from(batches.subquery())).scalar_one()
    if sites:
        change = update(Batch).where(Batch.screen_id == screen_id, Batch.number.in_(batches))
        # The batch gets all its attempts again, because the user may have repaired the images.
        fresh = {"attempts": 0, "not_before": 0.0, "error": None, "token": None, "leased_until": None}
        fresh |= {"waiting": None, "waits": 0, "waiting_since": None, "losses": 0}
        connection.execute(change.values(state=WorkState.QUEUED, **fresh))
        set_screen_state(connection, screen_id, ScreenState.QUEUED)
    return sites


@dataclass
class _Counts:
    """How much a screen has of everything; `batches` have been taken by a worker at least once."""

    plates: int = 0
    batches: int = 0
    sites: int = 0
    done: int = 0
    parked: int = 0
    waiting: str | None = None


def _statuses(connection: Connection, rows: list[Row[Any]]) -> list[ScreenStatus]:
    counts: dict[str, _Counts] = {}
    for start in range(0, len(rows), _IDS_PER_QUERY):
        counts |= _counts(connection, [row.id for row in rows[start : start + _IDS_PER_QUERY]])
    full = full_disk(connection)
    return [_status(row, counts[row.id], full) for row in rows]


def _counts(connection: Connection, ids: list[str]) -> dict[str, _Counts]:
    """Count the rows of the named screens, with one query per table however many screens there are."""
    counts = {screen_id: _Counts() for screen_id in ids}
    begun = func.sum(case((Batch.attempts > 0, 1), else_=0))
    plates = select(Plate.screen_id, func.count()).where(Plate.screen_id.in_(ids)).group_by(Plate.screen_id)
    sums = (func.sum(Batch.sites), func.sum(Batch.done), func.sum(Batch.parked))
    batches = select(Batch.screen_id, begun, *sums).where(Batch.screen_id.in_(ids)).group_by(Batch.screen_id)
    for table in (Batch, Analysis):
        away = (table.screen_id.in_(ids), table.state.in_(OPEN_WORK), table.waiting.is_not(None))
        reasons = select(table.screen_id, func.max(table.waiting)).where(*away).group_by(table.screen_id)
        for screen_id, reason in connection.execute(reasons):
            counts[screen_id].waiting = reason
    for screen_id, count in connection.execute(plates):
        counts[screen_id].plates = count
    for screen_id, *numbers in connection.execute(batches):
        of_screen = counts[screen_id]
        of_screen.batches, of_screen.sites, of_screen.done, of_screen.parked = map(int, numbers)
    return counts


def _status(row: Row[Any], counts: _Counts, full: str | None) -> ScreenStatus:
    state = ScreenState(row.state)
    # This state is not stored, so that a worker can take a batch without a lock on its screen.
    if state is ScreenState.QUEUED and counts.batches:
        state = ScreenState.EMBEDDING
    # On a full disk no worker can write a reason.
    waiting = None if state.has_ended else without_folders(counts.waiting or full or "") or None
    error = None if row.error is None else without_folders(row.error)
    progress = Progress(sites=counts.sites, done=counts.done, parked=counts.parked)
    return ScreenStatus(
        id=row.id,
        name=row.name,
        state=state,
        model=row.model,
        plates=counts.plates,
        wells=row.wells,
        progress=progress,
        summary=summary_of(state, progress, waiting=waiting, error=error),
        waiting=waiting,
        error=error,
        analysis_version=row.analysis_version,
        created_at=iso_time(row.created_at),
        finished_at=None if row.finished_at is None else iso_time(row.finished_at),
    )
