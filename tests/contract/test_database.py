"""The contract of a database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from gandl_shared.db import Database, FinishedBatch, LeasedAnalysis, LeasedBatch
from gandl_shared.db.engine import open_engine
from gandl_shared.db.tables import Base
from gandl_shared.errors import Conflict, NotFound
from gandl_shared.plates import PlateMap
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import Progress, ScreenState
from gandl_shared.testing import new_screen
from sqlalchemy import text

WORKERS = 8
T = TypeVar("T")


def at_once(jobs: list[Callable[[], T]]) -> list[T]:
    """Run the jobs in threads that all start together."""
    barrier = Barrier(len(jobs))

    def start(job: Callable[[], T]) -> T:
        barrier.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(start, jobs))


def leased(db: Database, screen_id: str | None = None) -> LeasedBatch:
    lease = db.batches.lease("test", 60, screen_id=screen_id)
    assert lease is not None
    return lease


def lost(db: Database, screen_id: str | None = None) -> LeasedBatch:
    """A lease that has run out."""
    lease = leased(db, screen_id)
    assert db.batches.renew(lease, -1)
    return lease


def lost_analysis(db: Database) -> LeasedAnalysis:
    """A lease of an analysis that has run out."""
    lease = db.analyses.lease("test", 60)
    assert lease is not None
    assert db.analyses.renew(lease, -1)
    return lease


def finish(db: Database, lease: LeasedBatch) -> FinishedBatch:
    return db.batches.finish(lease, {s.number: f"key-{s.number}" for s in lease.sites}, {})


def embedded(db: Database, wells: int = 3) -> str:
    """A screen whose batches are all done."""
    screen_id = db.screens.create(new_screen(wells))
    for _ in range(wells):
        finish(db, leased(db, screen_id))
    return screen_id


def test_migrations_make_the_tables_that_the_code_uses(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_many_processes_may_open_an_empty_database_at_once(empty_url: str) -> None:
    databases = at_once([lambda: Database.connect(empty_url)] * 4)
    assert [d.screens.statuses() for d in databases] == [()] * 4
    for d in databases:
        d.close()


def test_a_screen_comes_back_as_it_went_in(db: Database) -> None:
    new = new_screen(6, sites=2, sites_per_batch=4)
    screen_id = db.screens.create(new)
    record, status = db.screens.get(screen_id), db.screens.status(screen_id)
    assert (record.images, record.model, record.request) == (new.images, new.model, new.request)
    assert record.limits == new.limits
    assert db.screens.wells(screen_id) == new.plate_map.wells
    assert (status.state, status.plates, status.wells) == (ScreenState.QUEUED, 1, 6)
    assert status.progress == Progress(sites=12, done=0, parked=0)
    batches = [leased(db) for _ in range(3)]
    assert [s.site for b in batches for s in b.sites] == list(new.sites)
    assert batches[0].limits == new.limits
    assert db.batches.lease("test", 60) is None
    assert db.screens.status(screen_id).state is ScreenState.EMBEDDING


def test_a_batch_has_the_limits_of_its_own_plates(db: Database) -> None:
    new = new_screen(6, sites_per_batch=4)
    wells = [replace(well, plate=f"P{n // 2}") for n, well in enumerate(new.plate_map.wells)]
    sites = [replace(site, plate=well.plate) for site, well in zip(new.sites, wells, strict=True)]
    limits = {f"P{n}": IntensityLimits(low=(float(n),), high=(255.0,)) for n in range(3)}
    plate_map = PlateMap(tuple(wells), "map.csv")
    screen_id = db.screens.create(replace(new, plate_map=plate_map, sites=tuple(sites), limits=limits))
    first, second = leased(db), leased(db)
    assert first.limits == {name: limits[name] for name in ("P0", "P1")}
    assert second.limits == {"P2": limits["P2"]}
    assert db.screens.get(screen_id).limits == limits


def test_the_last_batch_queues_the_analysis_and_the_analysis_ends_the_screen(db: Database) -> None:
    screen_id = db.screens.create(new_screen(3))
    first = [finish(db, leased(db)) for _ in range(2)]
    assert [f.analysis_id for f in first] == [None, None]
    assert db.analyses.of_screen(screen_id) == ()
    last = finish(db, leased(db))
    assert db.screens.status(screen_id).state is ScreenState.ANALYSING
    lease = db.analyses.lease("test", 60)
    assert lease is not None
    assert (lease.id, lease.screen_id, lease.version) == (last.analysis_id, screen_id, 1)
    assert db.analyses.get(screen_id, 1).state == "running"
    assert db.analyses.finish(lease)
    status = db.screens.status(screen_id)
    assert (status.state, status.analysis_version, status.finished_at is None) == (ScreenState.DONE, 1, False)
    assert db.analyses.get(screen_id, 1).state == "done"


def test_no_batch_is_leased_twice(db: Database) -> None:
    for n in range(3):
        db.screens.create(new_screen(20, name=f"s{n}"))

    def work() -> list[int]:
        leased_ids = []
        while (lease := db.batches.lease("test", 60)) is not None:
            leased_ids.append(lease.id)
        return leased_ids

    leased_ids = [batch_id for ids in at_once([work] * WORKERS) for batch_id in ids]
    assert len(leased_ids) == 60
    assert len(set(leased_ids)) == 60


@pytest.mark.parametrize("round_", range(4))
def test_racing_finishers_queue_exactly_one_analysis(url: str, round_: int) -> None:
    databases = [Database.connect(url) for _ in range(WORKERS)]
    screen_id = databases[0].screens.create(new_screen(WORKERS))
    leases = [leased(d) for d in databases]
    finished = at_once([lambda d=d, b=b: finish(d, b) for d, b in zip(databases, leases, strict=True)])
    assert all(f.accepted for f in finished)
    assert sum(f.analysis_id is not None for f in finished) == 1
    assert len(databases[0].analyses.of_screen(screen_id)) == 1
    for d in databases:
        d.close()


def test_one_of_many_gets_the_analysis(db: Database) -> None:
    embedded(db)
    leases = at_once([lambda: db.analyses.lease("test", 60)] * WORKERS)
    assert sum(lease is not None for lease in leases) == 1


def test_an_expired_lease_goes_to_another_and_the_late_worker_does_no_harm(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2, sites_per_batch=2))
    late = leased(db)
    assert db.batches.lease("other", 60) is None
    assert db.batches.renew(late, -1)
    other = leased(db)
    assert (other.id, other.attempt, late.attempt) == (late.id, 2, 1)
    assert not db.batches.renew(late, 60)
    assert db.batches.finish(late, {0: "late", 1: "late"}, {}) == FinishedBatch(screen_id, accepted=False)
    assert not db.batches.fail(late, "late").accepted
    assert not db.batches.release(late)
    assert db.screens.status(screen_id).progress.done == 0
    assert finish(db, other).analysis_id is not None
    assert not finish(db, other).accepted
    assert len(db.analyses.of_screen(screen_id)) == 1


def test_a_renewed_lease_does_not_expire(db: Database) -> None:
    db.screens.create(new_screen(2, sites_per_batch=2))
    lease = db.batches.lease("test", 1)
    assert lease is not None
    assert db.batches.renew(lease, 60)
    time.sleep(1.1)
    assert db.batches.lease("other", 60) is None


def test_a_batch_that_keeps_failing_is_parked_and_the_others_are_analysed(db: Database) -> None:
    screen_id = db.screens.create(new_screen(3))
    for attempt in range(1, 4):
        lease = leased(db)
        assert (lease.number, lease.attempt) == (0, attempt)
        assert db.batches.fail(lease, "disk on fire").analysis_id is None
    assert [finish(db, leased(db)).analysis_id is None for _ in range(2)] == [True, False]
    status = db.screens.status(screen_id)
    assert status.progress == Progress(sites=3, done=2, parked=1)
    assert [(p.well, p.error) for p in status.parked] == [("A01", "disk on fire")]


def test_a_screen_without_any_readable_site_fails_and_says_why(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2, sites_per_batch=2))
    finished = db.batches.finish(leased(db), {}, {0: "A01_s0.tif cannot be decoded", 1: "nor this"})
    assert finished == FinishedBatch(screen_id, accepted=True)
    status = db.screens.status(screen_id)
    assert status.state is ScreenState.FAILED
    assert "A01_s0.tif cannot be decoded" in (status.error or "")
    with pytest.raises(Conflict, match="no vectors"):
        db.analyses.queue(screen_id, AnalysisParameters())


def test_a_batch_that_kills_its_workers_is_parked(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    for _ in range(3):
        assert lost(db).number == 0
    assert finish(db, leased(db)).analysis_id is None
    assert db.batches.lease("test", 60) is None
    (analysis_id,) = db.park_exhausted()
    assert db.analyses.of_screen(screen_id)[0].id == analysis_id
    assert [p.error for p in db.screens.status(screen_id).parked] == ["the worker was lost 3 times on this batch"]
    assert db.park_exhausted() == ()


def test_a_released_batch_waits_and_loses_no_attempt(db: Database) -> None:
    db.screens.create(new_screen(2, sites_per_batch=2))
    for _ in range(5):
        assert db.batches.release(leased(db))
    assert db.waiting().batches == 1
    lease = leased(db)
    assert lease.attempt == 1
    assert db.batches.release(lease, delay=60)
    assert db.batches.lease("test", 60) is None
    assert db.waiting().batches == 0


def test_cancel_takes_the_leases_and_retry_goes_on(db: Database) -> None:
    screen_id = db.screens.create(new_screen(3))
    finish(db, leased(db))
    cancelled = leased(db)
    db.screens.cancel(screen_id)
    assert db.screens.status(screen_id).state is ScreenState.CANCELLED
    assert not finish(db, cancelled).accepted
    assert db.batches.lease("test", 60) is None
    with pytest.raises(Conflict, match="cancelled"):
        db.screens.cancel(screen_id)
    assert db.screens.retry(screen_id) is None
    assert [finish(db, leased(db)).analysis_id is None for _ in range(2)] == [True, False]
    assert db.screens.status(screen_id).progress.done == 3


def test_retry_runs_parked_sites_again(db: Database) -> None:
    screen_id = db.screens.create(new_screen(4, sites_per_batch=2))
    with pytest.raises(Conflict, match="still running"):
        db.screens.retry(screen_id)
    finish(db, leased(db))
    db.batches.finish(leased(db), {2: "key"}, {3: "broken"})
    lease = db.analyses.lease("test", 60)
    assert lease is not None
    db.analyses.finish(lease)
    assert db.screens.retry(screen_id) is None
    again = leased(db)
    assert [(s.number, s.key) for s in again.sites] == [(2, "key"), (3, None)]
    assert finish(db, again).analysis_id is not None
    assert [a.version for a in db.analyses.of_screen(screen_id)] == [1, 2]
    lease = db.analyses.lease("test", 60)
    assert lease is not None
    db.analyses.finish(lease)
    with pytest.raises(Conflict, match="nothing to retry"):
        db.screens.retry(screen_id)


def test_delete_leaves_no_row_and_no_lease(db: Database, url: str) -> None:
    remaining, deleted = db.screens.create(new_screen(2)), embedded(db)
    analysis = db.analyses.lease("test", 60)
    batch = leased(db, remaining)
    running = db.screens.create(new_screen(2))
    lost_lease = leased(db, running)
    db.screens.delete(deleted)
    db.screens.delete(running)
    assert analysis is not None
    assert not db.analyses.finish(analysis)
    assert not finish(db, lost_lease).accepted
    assert not db.batches.renew(lost_lease, 60)
    assert finish(db, batch).accepted
    with pytest.raises(NotFound, match=deleted):
        db.screens.status(deleted)
    engine = open_engine(url)
    with engine.connect() as connection:
        for table, owned in [("plates", 1), ("wells", 2), ("sites", 2), ("batches", 2), ("analyses", 0)]:
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == owned
    engine.dispose()


def test_a_restart_goes_on_where_it_was(db: Database, url: str) -> None:
    screen_id = db.screens.create(new_screen(3))
    finish(db, leased(db))
    expired = lost(db)
    db.close()
    again = Database.connect(url)
    assert again.screens.status(screen_id).progress.done == 1
    assert again.waiting().batches == 2
    numbers = [leased(again).number for _ in range(2)]
    assert numbers == [expired.number, 2]
    again.close()


def test_an_analysis_is_tried_three_times_unless_trying_cannot_help(db: Database) -> None:
    once, often = embedded(db), embedded(db)
    for analysis_of in (once, often, often, often):
        lease = db.analyses.lease("test", 60, analysis_id=db.analyses.of_screen(analysis_of)[0].id)
        assert lease is not None
        assert db.analyses.fail(lease, f"no {analysis_of}", final=analysis_of == once)
    for screen_id in (once, often):
        status = db.screens.status(screen_id)
        assert (status.state, status.error) == (ScreenState.FAILED, f"no {screen_id}")
    assert db.analyses.lease("test", 60) is None
    retried = db.screens.retry(once)
    lease = db.analyses.lease("test", 60)
    assert lease is not None
    assert (lease.id, lease.version) == (retried, 2)
    assert db.analyses.finish(lease)
    assert db.screens.status(once).state is ScreenState.DONE


def test_a_further_analysis_that_fails_leaves_the_first_result(db: Database) -> None:
    screen_id = embedded(db)
    lease = db.analyses.lease("test", 60)
    assert lease is not None
    db.analyses.finish(lease)
    parameters = AnalysisParameters(seed=7)
    queued = db.analyses.queue(screen_id, parameters)
    assert (queued.version, queued.state, queued.parameters) == (2, "queued", parameters)
    assert db.screens.status(screen_id).state is ScreenState.ANALYSING
    second = db.analyses.lease("test", 60)
    assert second is not None
    assert second.parameters == parameters
    db.analyses.fail(second, "too few", final=True)
    status = db.screens.status(screen_id)
    assert (status.state, status.analysis_version) == (ScreenState.DONE, 1)
    assert db.analyses.get(screen_id, 2).error == "too few"


def test_an_analysis_whose_worker_is_lost_is_given_on_and_in_the_end_failed(db: Database) -> None:
    screen_id = embedded(db)
    first = lost_analysis(db)
    assert lost_analysis(db).id == first.id
    assert not db.analyses.finish(first)
    lost_analysis(db)
    assert db.analyses.lease("test", 60) is None
    db.park_exhausted()
    assert db.screens.status(screen_id).state is ScreenState.FAILED
    assert "lost 3 times" in (db.analyses.get(screen_id, 1).error or "")


def test_screens_that_are_not_there(db: Database) -> None:
    screens = db.screens
    calls = [
        screens.get,
        screens.status,
        screens.wells,
        screens.cancel,
        screens.retry,
        screens.delete,
        db.analyses.of_screen,
    ]
    for call in calls:
        with pytest.raises(NotFound, match="nobody"):
            call("nobody")
    with pytest.raises(NotFound):
        db.analyses.get("nobody", 1)
    with pytest.raises(NotFound):
        db.analyses.queue("nobody", AnalysisParameters())


def test_images_must_be_done_before_an_analysis(db: Database) -> None:
    screen_id = db.screens.create(new_screen(2))
    with pytest.raises(Conflict, match="queued"):
        db.analyses.queue(screen_id, AnalysisParameters())


def test_one_process_in_a_round_sweeps(db: Database) -> None:
    assert sum(at_once([lambda: db.timers.claim("sweep", 60)] * WORKERS)) == 1
    assert not db.timers.claim("sweep", 60)


def test_work_that_waits_is_counted_and_named(db: Database) -> None:
    screen_id = db.screens.create(new_screen(3))
    leased(db)
    assert (db.waiting().batches, db.waiting().analyses) == (2, 0)
    assert set(db.batches.ready_ids(10)) == set(db.batches.queued_ids(screen_id))
    assert db.batches.ready_ids(1) == (max(db.batches.queued_ids(screen_id)),)


def test_nothing_locks_up_when_everything_happens_at_once(url: str) -> None:
    """Leases, failures, cancels, retries and deletes from many threads: no deadlock, no error but those promised, and
    every screen that is left can still be brought to its end."""
    db = Database.connect(url, max_attempts=10_000)
    ids = [db.screens.create(new_screen(6, name=f"s{n}")) for n in range(4)]
    end = time.monotonic() + 1.5

    def work() -> None:
        while time.monotonic() < end:
            lease = db.batches.lease("test", 0.02)
            if lease is not None:
                finish(db, lease) if lease.id % 3 else db.batches.fail(lease, "no")

    def disturb() -> None:
        while time.monotonic() < end:
            for screen_id in ids:
                for act in (db.screens.cancel, db.screens.retry):
                    with contextlib.suppress(Conflict):
                        act(screen_id)
            db.park_exhausted()
            db.screens.statuses()

    def replace() -> None:
        while time.monotonic() < end:
            db.screens.delete(db.screens.create(new_screen(4)))

    at_once([work, work, work, disturb, disturb, replace])
    assert {s.id for s in db.screens.statuses()} == set(ids)
    for screen_id in ids:
        if db.screens.status(screen_id).state is ScreenState.CANCELLED:
            db.screens.retry(screen_id)
    time.sleep(0.05)
    while (lease := db.batches.lease("test", 60)) is not None:
        finish(db, lease)
    while (analysis := db.analyses.lease("test", 60)) is not None:
        db.analyses.finish(analysis)
    assert [s.state for s in db.screens.statuses()] == [ScreenState.DONE] * len(ids)
    db.close()
