"""Batches in the database: leased by a worker, and given back as finished, failed or untried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, select, update

from gandl_shared.db.engine import Transactions, now
from gandl_shared.db.leases import LeasedWork, Leases, history
from gandl_shared.db.records import FinishedBatch, LeasedBatch, LeasedSite
from gandl_shared.db.screen_rows import count_sites, map_site, model_use, read_limits
from gandl_shared.db.tables import Batch, Plate, Screen, Site, Well
from gandl_shared.db.transitions import end_embedding
from gandl_shared.errors import Conflict
from gandl_shared.models.numerics import go_together, kind_of, stored_key
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.image_layout import ImageLayout
from gandl_shared.schemas.states import SiteState, WorkState

# The statements of every batch are built once, because to build one costs four times as much as to run it.
_SCREEN = select(Screen.__table__).where(Screen.id == bindparam("screen_id"))
_SITES = (
    select(Plate.name, Well.name, Site.name, Site.number, Site.files, Site.stamps, Site.key)
    .join(Well, (Well.screen_id == Site.screen_id) & (Well.number == Site.well))
    .join(Plate, (Plate.screen_id == Well.screen_id) & (Plate.number == Well.plate))
    .where(Site.screen_id == bindparam("screen_id"), Site.batch == bindparam("batch"))
    .order_by(Site.number)
)
_OTHER_BATCH = (
    select(Batch.number)
    .where(Batch.screen_id == bindparam("screen_id"), Batch.number != bindparam("batch"), Batch.done > 0)
    .order_by(Batch.number)
    .limit(1)
)
_KEY_OF_OTHERS = (
    select(Site.key)
    .where(Site.screen_id == bindparam("screen_id"), Site.batch == _OTHER_BATCH.scalar_subquery())
    .where(Site.key.is_not(None))
    .limit(1)
)
# A parameter with the name of a column would be taken for a new value of that column.
_CHANGE_SITE = (
    update(Site)
    .where(Site.screen_id == bindparam("of_screen"), Site.number == bindparam("n"))
    .values({name: bindparam(name) for name in ("state", "key", "error", "note")})
)


class BatchRepository(LeasedWork[LeasedBatch]):
    """The batches of all screens. Every method is one transaction."""

    def __init__(self, transactions: Transactions, *, max_attempts: int) -> None:
        super().__init__(transactions, Leases(Batch, max_attempts))

    def lease(
        self, worker: str, seconds: float, *, screen_id: str | None = None, batch_id: int | None = None
    ) -> LeasedBatch | None:
        """Take a batch that waits or whose lease has run out: any, one of a screen, or a certain one."""
        with self._transactions.write() as connection:
            row = self._leases.take(connection, worker, seconds, screen_id=screen_id, id=batch_id)
            return None if row is None else _leased_batch(connection, row)

    def finish(
        self,
        lease: LeasedBatch,
        done: Mapping[int, str],
        parked: Mapping[int, str],
        notes: Mapping[int, str] | None = None,
    ) -> FinishedBatch:
        """Close a batch. `done` maps site numbers to the keys of their vectors, `parked` to errors.

        `notes` say what was noticed about sites that are done. The last open batch of a screen queues its analysis.
        Raises Conflict where another batch of the screen has vectors of another kind (`Numerics.kind`).
        """
        with self._transactions.write() as connection:
            if not self._leases.hold(connection, lease):
                return FinishedBatch(lease.screen_id, accepted=False)
            _check_kinds(lease.screen_id, _kind_of_others(connection, lease.screen_id, lease.number), done.values())
            # Sites, batch and screen change in one transaction, so that a crash cannot leave them in disagreement.
            _write_sites(connection, lease.screen_id, done, parked, notes or {})
            count_sites(connection, lease.screen_id, lease.number)
            self._leases.close(connection, lease.id, WorkState.DONE)
            if lease.waits:
                self._leases.resume(connection, lease.screen_id)
            analysis_id = end_embedding(connection, lease.screen_id)
        return FinishedBatch(lease.screen_id, accepted=True, analysis_id=analysis_id)

    def fail(self, lease: LeasedBatch, error: str) -> FinishedBatch:
        """Put a batch that failed back into the queue; after the last attempt park its sites with `error`."""
        with self._transactions.write() as connection:
            if not self._leases.hold(connection, lease):
                return FinishedBatch(lease.screen_id, accepted=False)
            # The cause may be one worker and not the images, so other workers try before the sites are given up.
            if lease.attempt < self._leases.max_attempts:
                self._leases.requeue(connection, lease, attempts=lease.attempt, error=error)
                return FinishedBatch(lease.screen_id, accepted=True)
            analysis_id = self._park(connection, lease.id, lease.screen_id, lease.number, error)
        return FinishedBatch(lease.screen_id, accepted=True, analysis_id=analysis_id)

    def release(self, lease: LeasedBatch, delay: float = 0.0) -> bool:
        """Give a batch back untried, to be leased again after `delay` seconds. Return False if the lease was lost.

        A worker does so at shutdown and when a service is full. The attempt does not count.
        """
        with self._transactions.write() as connection:
            if not self._leases.hold(connection, lease):
                return False
            until = now(connection) + delay
            # The attempt was counted when the lease began, so it is taken back here.
            self._leases.requeue(connection, lease, attempts=lease.attempt - 1, not_before=until)
        return True

    def wait(self, lease: LeasedBatch, seconds: float, reason: str, *, whole_screen: bool = False) -> bool:
        """Give a batch back for `seconds`, because something that it needs is away. Return False if the lease was lost.

        The status of the screen shows the `reason`, and the attempt does not count. With `whole_screen`, the queued
        batches of the screen wait too, because none of them could be done either.
        """
        with self._transactions.write() as connection:
            if not self._leases.hold(connection, lease):
                return False
            until = self._leases.wait(connection, lease, seconds, reason)
            if whole_screen:
                others = (Batch.screen_id == lease.screen_id, Batch.state == WorkState.QUEUED, Batch.not_before < until)
                waits = lease.waits + 1
                self._leases.delay(connection, and_(*others), at=until - seconds, until=until, waits=waits, why=reason)
        return True

    def doubt(self, lease: LeasedBatch, error: str) -> bool:
        """Put back a batch that has used up the memory or the time of its worker. Return False if the lease was lost.

        The next worker treats it as a batch whose worker has died.
        """
        with self._transactions.write() as connection:
            if not self._leases.hold(connection, lease):
                return False
            self._leases.doubt(connection, lease, error)
        return True

    def queued_ids(self, screen_id: str) -> tuple[int, ...]:
        """Return the ids of a screen's queued batches, in plate map order."""
        query = select(Batch.id).where(Batch.screen_id == screen_id, Batch.state == WorkState.QUEUED)
        with self._transactions.read() as connection:
            return tuple(connection.scalars(query.order_by(Batch.id)))

    def park_exhausted(self) -> tuple[int, ...]:
        """Park the batches whose workers were lost in every attempt; return the ids of analyses that this queued."""
        with self._transactions.read() as connection:
            batch_ids = self._leases.exhausted(connection)
        # Each batch has its own transaction, so that several screens are not locked at the same time.
        queued = [self._park_exhausted(batch_id) for batch_id in batch_ids]
        return tuple(analysis_id for analysis_id in queued if analysis_id is not None)

    def _park_exhausted(self, batch_id: int) -> int | None:
        with self._transactions.write() as connection:
            row = self._leases.hold_exhausted(connection, batch_id)
            if row is None:
                return None
            error = f"the worker was lost {row.attempts} times on this batch"
            return self._park(connection, row.id, row.screen_id, row.number, error)

    def _park(self, connection: Connection, batch_id: int, screen_id: str, number: int, error: str) -> int | None:
        self._leases.close(connection, batch_id, WorkState.PARKED, error)
        # In a screen that was retried, some sites of the batch may have vectors already, and these stay.
        queued = and_(Site.screen_id == screen_id, Site.batch == number, Site.state == SiteState.QUEUED)
        connection.execute(update(Site).where(queued).values(state=SiteState.PARKED, error=error))
        count_sites(connection, screen_id, number)
        return end_embedding(connection, screen_id)


def _leased_batch(connection: Connection, row: Row[Any]) -> LeasedBatch:
    own = {"screen_id": row.screen_id, "batch": row.number}
    screen = connection.execute(_SCREEN, own).one()
    root = Path(screen.images)
    sites = tuple(_leased_site(*each, root=root) for each in connection.execute(_SITES, own))
    plates = list(dict.fromkeys(each.site.plate for each in sites))
    return LeasedBatch(
        id=row.id,
        screen_id=row.screen_id,
        token=row.token,
        **history(connection, row),
        number=row.number,
        model=model_use(screen),
        limits=read_limits(connection, row.screen_id, plates),
        sites=sites,
        reduction=Reduction.NONE if screen.layout is None else ImageLayout.model_validate(screen.layout).reduction,
        kind=_kind_of_others(connection, row.screen_id, row.number),
    )


def _kind_of_others(connection: Connection, screen_id: str, number: int) -> str | None:
    """Return the kind of the vectors that another batch of a screen has; None where no other batch has any."""
    key = connection.execute(_KEY_OF_OTHERS, {"screen_id": screen_id, "batch": number}).scalar()
    return None if key is None else kind_of(key)


def _check_kinds(screen_id: str, other: str | None, keys: Iterable[str]) -> None:
    kinds = {kind_of(key) for key in keys} | ({other} if other is not None else set())
    if not go_together(kinds):
        raise Conflict(
            f"screen {screen_id} would have vectors of {' and '.join(sorted(kinds))} (device and precision), which "
            "cannot be compared; run one embedding service for it, and retry the screen"
        )


def _leased_site(
    plate: str,
    well: str,
    name: str,
    number: int,
    files: list[str] | list[list[str]],
    stamps: list[list[int] | None] | None,
    key: str | None,
    *,
    root: Path,
) -> LeasedSite:
    earlier = tuple(None if stamp is None else (stamp[0], stamp[1]) for stamp in stamps or ())
    return LeasedSite(number, map_site(root, plate, well, name, files), key, earlier)


def _write_sites(
    connection: Connection,
    screen_id: str,
    done: Mapping[int, str],
    parked: Mapping[int, str],
    notes: Mapping[int, str],
) -> None:
    rows = [
        {"n": n, "state": SiteState.DONE, "key": stored_key(key), "error": None, "note": notes.get(n)}
        for n, key in done.items()
    ]
    rows += [
        {"n": n, "state": SiteState.PARKED, "key": None, "error": error, "note": None} for n, error in parked.items()
    ]
    if rows:
        connection.execute(_CHANGE_SITE, [{"of_screen": screen_id, **values} for values in rows])
