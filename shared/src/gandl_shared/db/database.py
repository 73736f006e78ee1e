"""`Database`: every question and change as one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import InterfaceError, OperationalError

from gandl_shared.db import analyses, leases, screens
from gandl_shared.db.engine import WRITES, now, open_engine, snapshots
from gandl_shared.db.records import (
    AnalysisRecord,
    FinishedBatch,
    LeasedAnalysis,
    LeasedBatch,
    NewScreen,
    ScreenRecord,
)
from gandl_shared.db.tables import Analysis, Batch, Timer
from gandl_shared.errors import Unavailable
from gandl_shared.plates import PlateMap, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenStatus

ATTEMPTS = 3


@dataclass(frozen=True)
class Waiting:
    """Work that is ready to be leased and by whom nobody: how many batches, how many analyses."""

    batches: int
    analyses: int


class Database:
    """The truth about all screens. Safe to share between threads; make one a process, after forking.

    Methods that name a screen raise NotFound where there is none; all raise Unavailable when the server is away.
    """

    def __init__(self, engine: Engine, *, attempts: int = ATTEMPTS) -> None:
        self._engine = engine
        self._reads = snapshots(engine)
        self._writes = engine.execution_options(**{WRITES: True})
        self._attempts = attempts

    @classmethod
    def connect(cls, url: str, *, attempts: int = ATTEMPTS) -> Database:
        """Open `sqlite:///FILE` or `postgresql://…` and bring its tables to the newest version.

        A batch or analysis that fails `attempts` times is parked. Raises Malformed, Unavailable.
        """
        return cls(open_engine(url), attempts=attempts)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    # Screens

    def create_screen(self, new: NewScreen) -> str:
        """Write a screen with all its rows; its id."""
        with self._write() as connection:
            return screens.create(connection, new)

    def screen(self, screen_id: str) -> ScreenRecord:
        """What was submitted."""
        with self._read() as connection:
            return screens.record(connection, screen_id)

    def screen_status(self, screen_id: str) -> ScreenStatus:
        """State, progress, parked sites."""
        with self._read() as connection:
            return screens.status(connection, screen_id)

    def screens(self) -> tuple[ScreenStatus, ...]:
        """All screens, newest first."""
        with self._read() as connection:
            return screens.statuses(connection)

    def plate_map(self, screen_id: str) -> PlateMap:
        """The plate map as it was given."""
        with self._read() as connection:
            screens.record(connection, screen_id)
            return screens.plate_map(connection, screen_id)

    def wells(self, screen_id: str) -> tuple[Well, ...]:
        """The wells of the plate map, empty ones too, in its order."""
        return self.plate_map(screen_id).wells

    def cancel_screen(self, screen_id: str) -> None:
        """Stop a running screen. Raises Conflict where it does not run."""
        with self._write() as connection:
            screens.cancel(connection, screen_id)

    def retry_screen(self, screen_id: str) -> int | None:
        """Queue what was parked or cancelled again; where all sites are done, queue an analysis and return its id.

        Raises Conflict where the screen is running, or done with nothing to do again.
        """
        with self._write() as connection:
            return analyses.retry(connection, screen_id)

    def delete_screen(self, screen_id: str) -> None:
        """Delete all rows of a screen; who works on it loses the lease."""
        with self._write() as connection:
            screens.remove(connection, screen_id)

    # Batches

    def lease_batch(
        self, worker: str, seconds: float, screen_id: str | None = None, batch_id: int | None = None
    ) -> LeasedBatch | None:
        """Take a batch that waits or whose lease has run out: any, one of a screen, or a certain one."""
        with self._write() as connection:
            return leases.lease(
                connection, worker, seconds, screen_id=screen_id, batch_id=batch_id, most=self._attempts
            )

    def renew_batch(self, lease: LeasedBatch, seconds: float) -> bool:
        """Keep a lease for `seconds` from now. False where it was lost: stop working."""
        with self._write() as connection:
            return leases.renew(connection, lease, seconds)

    def finish_batch(
        self, lease: LeasedBatch, done_sites: Mapping[int, str], parked_sites: Mapping[int, str]
    ) -> FinishedBatch:
        """Close a batch: site number → key of its vectors, site number → error. The last one queues the analysis."""
        with self._write() as connection:
            return leases.finish(connection, lease, done_sites, parked_sites)

    def fail_batch(self, lease: LeasedBatch, error: str) -> FinishedBatch:
        """Give a batch back because it failed; after the last attempt its sites are parked with `error`."""
        with self._write() as connection:
            return leases.fail(connection, lease, error, self._attempts)

    def release_batch(self, lease: LeasedBatch, delay: float = 0.0) -> bool:
        """Give a batch back untried (shutdown, a full service), to be leased again after `delay` seconds."""
        with self._write() as connection:
            return leases.release(connection, lease, delay)

    def batch_ids(self, screen_id: str) -> tuple[int, ...]:
        """The batches of a screen that wait."""
        query = select(Batch.id).where(Batch.screen_id == screen_id, Batch.state == screens.QUEUED).order_by(Batch.id)
        with self._read() as connection:
            return tuple(connection.scalars(query))

    # Analyses

    def queue_analysis(self, screen_id: str, parameters: AnalysisParameters) -> AnalysisRecord:
        """Queue another analysis of a screen. Raises Conflict while its images are not done."""
        with self._write() as connection:
            return analyses.queue(connection, screen_id, parameters)

    def lease_analysis(self, worker: str, seconds: float, analysis_id: int | None = None) -> LeasedAnalysis | None:
        """Take an analysis that waits or whose lease has run out."""
        with self._write() as connection:
            return analyses.lease(connection, worker, seconds, analysis_id, self._attempts)

    def renew_analysis(self, lease: LeasedAnalysis, seconds: float) -> bool:
        """Keep a lease for `seconds` from now. False where it was lost."""
        with self._write() as connection:
            held = (Analysis.id == lease.id) & (Analysis.token == lease.token)
            values = {"leased_until": now(connection) + seconds}
            return connection.execute(update(Analysis).where(held).values(**values)).rowcount == 1

    def finish_analysis(self, lease: LeasedAnalysis) -> bool:
        """The result is stored: the screen is done. False where the lease was lost."""
        with self._write() as connection:
            return analyses.finish(connection, lease)

    def fail_analysis(self, lease: LeasedAnalysis, error: str, *, final: bool = False) -> bool:
        """Give an analysis back; `final` where trying again cannot help (the data are too few)."""
        with self._write() as connection:
            return analyses.fail(connection, lease, error, final=final, most=self._attempts)

    def analyses(self, screen_id: str) -> tuple[AnalysisRecord, ...]:
        """All analyses of a screen, oldest first."""
        with self._read() as connection:
            return analyses.listed(connection, screen_id)

    def analysis(self, screen_id: str, version: int) -> AnalysisRecord:
        """One version of the analyses of a screen."""
        with self._read() as connection:
            return analyses.found(connection, screen_id, version)

    # What keeps the queue honest

    def waiting(self) -> Waiting:
        """How much work nobody holds a lease on, now."""
        with self._read() as connection:
            at = now(connection)
            batches = select(func.count()).select_from(Batch).where(leases.ready(at))
            waiting = select(func.count()).select_from(Analysis).where(analyses.ready(at))
            return Waiting(connection.execute(batches).scalar_one(), connection.execute(waiting).scalar_one())

    def waiting_ids(self, batches: int, analyses_: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Ids of up to so many batches and analyses that nobody holds a lease on, newest first.

        Newest first: the oldest are the ones that the messages still in a queue are most likely about.
        """
        with self._read() as connection:
            at = now(connection)
            first = select(Batch.id).where(leases.ready(at)).order_by(Batch.id.desc()).limit(batches)
            second = select(Analysis.id).where(analyses.ready(at)).order_by(Analysis.id.desc()).limit(analyses_)
            return tuple(connection.scalars(first)), tuple(connection.scalars(second))

    def park_exhausted(self) -> tuple[int, ...]:
        """Park batches and fail analyses whose workers were lost in every attempt; the analyses this queued."""
        with self._read() as connection:
            batches = leases.exhausted(connection, self._attempts)
            stuck = analyses.exhausted(connection, self._attempts)
        queued = []
        for batch_id in batches:
            with self._write() as connection:
                queued.append(leases.park_exhausted(connection, batch_id, self._attempts))
        for analysis_id in stuck:
            with self._write() as connection:
                analyses.park_exhausted(connection, analysis_id, self._attempts)
        return tuple(analysis_id for analysis_id in queued if analysis_id is not None)

    def claim_timer(self, name: str, every: float) -> bool:
        """Whether a periodic job is due; of all processes that ask, one is told so every `every` seconds."""
        with self._write() as connection:
            at = now(connection)
            due = update(Timer).where(Timer.name == name, Timer.due_at <= at).values(due_at=at + every)
            return connection.execute(due).rowcount == 1

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with _reported(), self._reads.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with _reported(), self._writes.begin() as connection:
            yield connection


@contextmanager
def _reported() -> Iterator[None]:
    """A database that went away is a 503, not a fault of the code that asked."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(f"the database does not answer: {error.orig}") from error
