"""The job: the sites of a leased batch become vectors in the store. Knows no queue: `gandl screen` calls it as it is.

Two threads read and decode ahead of the model, a few sites at most, so memory does not grow with the screen. Every step
can be done again: vectors of a batch replace each other, and a site whose key is stored is not embedded again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from gandl_shared.db import Database, FinishedBatch, LeasedBatch, LeasedSite
from gandl_shared.errors import Conflict, DeadlineExceeded, Full, GandlError, Unavailable
from gandl_shared.jobs import LeaseRenewal, drop_lost_work, preprocessing_of
from gandl_shared.models import Embedder
from gandl_shared.plates import Site
from gandl_shared.schemas.screen import Progress, ScreenState, ScreenStatus
from gandl_shared.store import Profiles, Store, concatenated, of_site
from numpy.typing import NDArray

from gandl_worker.sites import SiteTiles, Unchanged, Unreadable, load_inside

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
DECODERS = 2
AHEAD = 4
"""Sites decoded and waiting for the model, at most."""
TILES_A_CALL = 64
"""Tiles of several small sites go to the model together, up to about so many."""

_RUNNING = (ScreenState.QUEUED, ScreenState.EMBEDDING)
_LOOK_AGAIN_SECONDS = 0.2

Place = tuple[str, str, str]  # plate, well, site
Loaded = tuple[LeasedSite, SiteTiles | Unchanged | Unreadable]


@dataclass
class _Rows:
    """What a batch has come to so far: rows, key and error by site number."""

    rows: dict[int, Profiles] = field(default_factory=dict)
    done: dict[int, str] = field(default_factory=dict)
    parked: dict[int, str] = field(default_factory=dict)


def run_screen(
    db: Database,
    store: Store,
    embedder: Embedder,
    screen_id: str,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    seconds: float = LEASE_SECONDS,
) -> ScreenStatus:
    """Run all batches of a screen here, one after the other, until none is open; its state afterwards.

    A batch that fails is tried again and then parked, as with many workers. Raises NotFound, Conflict (another model).
    """
    record = db.screens.get(screen_id)
    if record.model.id != embedder.model_id:
        raise Conflict(f"screen '{screen_id}' was planned for model {record.model.name}, not {embedder.card.name}")
    while (status := db.screens.status(screen_id)).state in _RUNNING:
        on_progress(status.progress)
        lease = db.batches.lease("in-process", seconds, screen_id=screen_id)
        if lease is not None:
            run_batch(db, store, embedder, lease, seconds=seconds)
        else:  # what is left waits for its time, or somebody else has it, dead or alive
            time.sleep(_LOOK_AGAIN_SECONDS)
            db.park_exhausted()
    on_progress(status.progress)
    return status


def run_batch(
    db: Database, store: Store, embedder: Embedder, lease: LeasedBatch, *, seconds: float = LEASE_SECONDS
) -> FinishedBatch:
    """Embed the sites of a batch, write their vectors, close the batch; any failure is recorded in the database.

    A model service that is full or away costs the batch no attempt. What is returned says whether this worker's word
    still counted and which analysis it queued.
    """
    try:
        with LeaseRenewal(db.batches, lease, seconds) as renewal:
            rows = _embedded(store, embedder, lease, renewal)
            if rows is None:
                return _dropped(db, store, lease)
            _write(store, lease, rows)
    except (Full, Unavailable, DeadlineExceeded) as error:
        delay = error.retry_after if isinstance(error, Full) else 5.0
        log.warning("batch %d waits %.0f s: %s", lease.id, delay, error)
        db.batches.release(lease, delay)
        return FinishedBatch(lease.screen_id, accepted=False)
    except Exception as error:  # whatever it was must not take the worker down: it is recorded with the batch
        log.exception("batch %d of screen %s failed, attempt %d", lease.id, lease.screen_id, lease.attempt)
        detail = error.detail if isinstance(error, GandlError) else f"{type(error).__name__}: {error}"
        return db.batches.fail(lease, detail)
    finished = db.batches.finish(lease, rows.done, rows.parked)
    return finished if finished.accepted else _dropped(db, store, lease)


def _embedded(store: Store, embedder: Embedder, lease: LeasedBatch, renewal: LeaseRenewal) -> _Rows | None:
    """Rows of all sites, or None as soon as the lease is known to be lost."""
    if embedder.model_id != lease.model.id:
        planned, here = (
            f"{lease.model.name} ({lease.model.id[:12]})",
            f"{embedder.card.name} ({embedder.model_id[:12]})",
        )
        raise Conflict(f"the screen was planned for model {planned}, here is {here}; vectors of two cannot be mixed")
    stored = store.vectors(lease.screen_id, lease.number)
    # Rows of before images were measured are made again: their figures cannot be had otherwise.
    known = _keys(stored) if stored is not None and stored.measured else {}
    rows = _Rows()
    for group in _grouped(_loaded(lease, known)):
        if renewal.lost:
            return None
        _take(group, stored, embedder, rows)
    return rows


def _loaded(lease: LeasedBatch, known: Mapping[Place, str]) -> Iterator[Loaded]:
    """Sites in order, decoded by threads, at most AHEAD of them ahead of the reader."""
    plans = {plate: preprocessing_of(limits, lease.model) for plate, limits in lease.limits.items()}
    waiting: deque[tuple[LeasedSite, Future[SiteTiles | Unchanged | Unreadable]]] = deque()
    with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as pool:
        for leased in lease.sites:
            site = leased.site
            key = known.get(_place(site))
            waiting.append((leased, pool.submit(load_inside, site, plans[site.plate], lease.model.id, key)))
            if len(waiting) > AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()


def _grouped(loaded: Iterator[Loaded]) -> Iterator[list[Loaded]]:
    """Neighbouring sites until they hold TILES_A_CALL tiles."""
    group: list[Loaded] = []
    tiles = 0
    for leased, what in loaded:
        group.append((leased, what))
        tiles += len(what.tiles) if isinstance(what, SiteTiles) else 0
        if tiles >= TILES_A_CALL:
            yield group
            group, tiles = [], 0
    if group:
        yield group


def _take(group: Sequence[Loaded], stored: Profiles | None, embedder: Embedder, rows: _Rows) -> None:
    vectors = _vectors([what.tiles for _, what in group if isinstance(what, SiteTiles)], embedder)
    for leased, what in group:
        site, n = leased.site, leased.number
        if isinstance(what, Unreadable):
            rows.parked[n] = what.error
            continue
        rows.done[n] = what.key
        if isinstance(what, SiteTiles):
            rows.rows[n] = of_site(_place(site), what.origins, what.key, next(vectors), what.figures, what.contrast)
        elif stored is not None:
            here = (stored.plates == site.plate) & (stored.wells == site.well) & (stored.sites == site.site)
            rows.rows[n] = stored.where(here)


def _keys(stored: Profiles) -> dict[Place, str]:
    places = zip(stored.plates, stored.wells, stored.sites, strict=True)
    return dict(zip(places, map(str, stored.keys), strict=True))


def _place(site: Site) -> Place:
    return site.plate, site.well, site.site


def _vectors(tiles: Sequence[NDArray[np.uint8]], embedder: Embedder) -> Iterator[NDArray[np.float32]]:
    """Embed the tiles of several sites in one call; the vectors of each site."""
    if not tiles:
        return
    vectors = embedder.embed(np.concatenate(tiles))
    ends = np.cumsum([len(t) for t in tiles])
    yield from np.split(vectors, ends[:-1])


def _write(store: Store, lease: LeasedBatch, rows: _Rows) -> None:
    if rows.rows:
        store.put_vectors(lease.screen_id, lease.number, concatenated([rows.rows[n] for n in sorted(rows.rows)]))


def _dropped(db: Database, store: Store, lease: LeasedBatch) -> FinishedBatch:
    drop_lost_work(db, store, lease)
    return FinishedBatch(lease.screen_id, accepted=False)
