"""The job of a worker: the sites of a leased batch become vectors in the store.

It knows no queue, so `gandl screen` calls the same functions. Two threads read and decode a few sites ahead of the
model, and memory does not grow with the screen. Every step can be repeated: vectors of a batch replace earlier ones,
and a site whose key is stored is not embedded again.

Only a site whose own files are at fault is parked. While a folder, the store, the database or the embedding service is
away, the batch waits with a reason. A batch whose worker died is loaded site by site in a process of its own.
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
from gandl_shared.errors import Conflict, DeadlineExceeded, Full, GandlError, Unavailable, without_folders
from gandl_shared.imaging import Preprocessing, shrunk
from gandl_shared.jobs import LeaseRenewal, drop_lost_work, persist, preprocessing_of, wait_seconds
from gandl_shared.models import Embedder
from gandl_shared.models.numerics import code_of, content_of, full_key, go_together
from gandl_shared.plates import SiteId
from gandl_shared.schemas.screen import Progress, ScreenState, ScreenStatus
from gandl_shared.store import (
    THUMBNAIL_EDGE,
    GreyPicture,
    Profiles,
    Store,
    Thumbnail,
    join_profiles,
    site_profiles,
    typical_tile,
)
from numpy.typing import NDArray

from gandl_worker.isolation import MAX_SITE_SECONDS, IsolatedLoader
from gandl_worker.sites import Away, SiteResult, SiteTiles, Unreadable, changed_files, load_inside

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
DECODERS = 2
MAX_SITES_AHEAD = 4
"""At most so many sites are decoded before the model is ready for them."""
TILES_PER_CALL = 64
"""Small sites go to the model together until their tiles reach this number."""

PATIENCE_WITH_ONE_SITE = 900.0
"""A site that still cannot be read after so many seconds, although its neighbours can, is at fault itself."""

_RUNNING = (ScreenState.QUEUED, ScreenState.EMBEDDING)
_POLL_SECONDS = 0.2

LoadedSite = tuple[LeasedSite, SiteResult]


@dataclass
class _BatchResult:
    """The results of a batch so far, by the number of the site: profiles, thumbnail and key, or an error, or what is
    away."""

    profiles: dict[int, Profiles] = field(default_factory=dict)
    thumbnails: dict[int, Thumbnail] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    away: dict[int, str] = field(default_factory=dict)


def run_screen(
    db: Database,
    store: Store,
    embedder: Embedder,
    screen_id: str,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_wait: Callable[[str], None] = lambda _: None,
    *,
    seconds: float = LEASE_SECONDS,
) -> ScreenStatus:
    """Run all batches of a screen in this process until none is open, and return the status afterwards.

    A batch that fails is tried again and then parked, as with many workers. `on_wait` is told what the screen waits
    for, and an empty text when it goes on. Raises NotFound, or Conflict if the screen was planned for another model.
    """
    record = db.screens.get(screen_id)
    if record.model.id != embedder.model_id:
        raise Conflict(f"screen '{screen_id}' was planned for model {record.model.name}, not {embedder.card.name}")
    reason = ""
    while (status := db.screens.status(screen_id)).state in _RUNNING:
        on_progress(status.progress)
        if (status.waiting or "") != reason:
            reason = status.waiting or ""
            on_wait(reason)
        lease = db.batches.lease("in-process", seconds, screen_id=screen_id)
        if lease is not None:
            run_batch(db, store, embedder, lease, seconds=seconds)
        else:  # the open batches wait for their time, or another worker has them, dead or alive
            time.sleep(_POLL_SECONDS)
            # There may be no sweep beside this loop, so the loop itself gives up batches whose workers were lost.
            db.park_exhausted()
    on_progress(status.progress)
    return status


def run_batch(
    db: Database, store: Store, embedder: Embedder, lease: LeasedBatch, *, seconds: float = LEASE_SECONDS
) -> FinishedBatch:
    """Embed the sites of a batch, write their vectors and close the batch. The database records any failure.

    The batch loses no attempt while something that it needs is full or away. The result says whether the lease was
    still valid and which analysis was queued.
    """
    try:
        with LeaseRenewal(db.batches, lease, seconds) as renewal:
            result = _embed_batch(store, embedder, lease, renewal)
            if result is None:
                return _drop(db, store, lease)
            _write(store, lease, result)
            return _close(db, store, lease, result)
    except Full as error:
        log.warning("batch %d waits %.0f s: %s", lease.id, error.retry_after, error)
        delay = error.retry_after
        persist(lambda: db.batches.release(lease, delay))
    except (Unavailable, DeadlineExceeded) as error:
        # What one batch cannot reach, such as the store or the embedding service, no other batch can reach either.
        _wait(db, lease, error.detail, whole_screen=True)
    except (MemoryError, TimeoutError) as error:
        log.warning("batch %d of screen %s, attempt %d", lease.id, lease.screen_id, lease.attempt, exc_info=True)
        doubt = f"the worker ran out of {'memory' if isinstance(error, MemoryError) else 'time'}"
        persist(lambda: db.batches.doubt(lease, doubt))
    except Exception as error:  # no failure may end the worker: it is recorded with the batch
        log.exception("batch %d of screen %s failed, attempt %d", lease.id, lease.screen_id, lease.attempt)
        detail = error.detail if isinstance(error, GandlError) else f"{type(error).__name__}: {error}"
        return persist(lambda: db.batches.fail(lease, detail))
    return FinishedBatch(lease.screen_id, accepted=False)


def _close(db: Database, store: Store, lease: LeasedBatch, result: _BatchResult) -> FinishedBatch:
    """Close a batch, or let it wait if the storage of some sites is away. Its vectors are stored already."""
    if result.away:
        patience_is_over = lease.waited > PATIENCE_WITH_ONE_SITE and bool(result.keys)
        if not patience_is_over:
            _wait(db, lease, next(iter(result.away.values())), whole_screen=not result.keys)
            return FinishedBatch(lease.screen_id, accepted=False)
        minutes = f"for {lease.waited / 60:.0f} minutes, while other images could be read"
        result.errors |= {
            number: f"{without_folders(reason)}; this was so {minutes}" for number, reason in result.away.items()
        }
    # The vectors are stored before the batch is closed, so a crash between the two only repeats the batch.
    finished = persist(lambda: db.batches.finish(lease, result.keys, result.errors, result.notes))
    return finished if finished.accepted else _drop(db, store, lease)


def _wait(db: Database, lease: LeasedBatch, reason: str, *, whole_screen: bool) -> None:
    seconds = wait_seconds(lease.waits)
    log.warning("batch %d of screen %s waits %.0f s: %s", lease.id, lease.screen_id, seconds, reason)
    persist(lambda: db.batches.wait(lease, seconds, reason, whole_screen=whole_screen))


def _embed_batch(store: Store, embedder: Embedder, lease: LeasedBatch, renewal: LeaseRenewal) -> _BatchResult | None:
    """Return the results of all sites, or None as soon as the lease is lost."""
    # Vectors of two models or kinds cannot be compared, so a service with others must not do this batch.
    _check_model(embedder, lease)
    _check_kind(embedder, lease)
    stored = store.vectors(lease.screen_id, lease.number)
    # Profiles of older versions have no metrics of their images, so their sites are embedded again.
    has_metrics = stored is not None and stored.has_site_metrics
    stored_keys = _contents_by_site(stored, embedder.numerics.code) if stored is not None and has_metrics else {}
    result = _BatchResult()
    loaded = _load_one_by_one(lease, stored_keys) if lease.losses else _load_sites(lease, stored_keys)
    for group in _groups(loaded):
        # The database accepts no result without a lease, so more work would be for nothing.
        if renewal.lost:
            return None
        _add_group(group, stored, embedder, result)
    if stored is not None:
        _keep_thumbnails(store, lease, result)
    return result


def _check_model(embedder: Embedder, lease: LeasedBatch) -> None:
    if embedder.model_id != lease.model.id:
        planned = f"{lease.model.name} ({lease.model.id[:12]})"
        current = f"{embedder.card.name} ({embedder.model_id[:12]})"
        raise Conflict(f"the screen was planned for model {planned}, but this is {current}; use one model per screen")


def _check_kind(embedder: Embedder, lease: LeasedBatch) -> None:
    kind = embedder.numerics.kind
    if lease.kind is not None and not go_together({lease.kind, kind}):
        raise Conflict(
            f"the screen was begun with vectors of {lease.kind} (device and precision), but this embedding service "
            f"computes {kind}; start it as it was before and retry the screen, or submit the screen again"
        )


def _load_sites(lease: LeasedBatch, stored_keys: Mapping[SiteId, str]) -> Iterator[LoadedSite]:
    """Yield the sites in order. Threads decode them, at most MAX_SITES_AHEAD before they are used."""
    preprocessing = _preprocessing(lease)
    pending: deque[tuple[LeasedSite, Future[SiteResult]]] = deque()
    pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="decode")
    try:
        for leased in lease.sites:
            site = leased.site
            of_plate = preprocessing.get(site.plate)
            future = pool.submit(load_inside, site, of_plate, lease.model.id, stored_keys.get(site.id))
            pending.append((leased, future))
            # Where decoding is faster than the model, the images would fill the memory without this limit.
            if len(pending) > MAX_SITES_AHEAD:
                first, future = pending.popleft()
                yield first, future.result(MAX_SITE_SECONDS)
        while pending:
            first, future = pending.popleft()
            yield first, future.result(MAX_SITE_SECONDS)
    finally:
        # No wait: a thread whose decoder hangs cannot be ended, and the worker must go on without it.
        pool.shutdown(wait=False, cancel_futures=True)


def _load_one_by_one(lease: LeasedBatch, stored_keys: Mapping[SiteId, str]) -> Iterator[LoadedSite]:
    """Yield the sites in order, each loaded in a process of its own, because one of them may have killed a worker."""
    preprocessing = _preprocessing(lease)
    with IsolatedLoader() as loader:
        for leased in lease.sites:
            site = leased.site
            yield leased, loader.load(site, preprocessing.get(site.plate), lease.model.id, stored_keys.get(site.id))


def _preprocessing(lease: LeasedBatch) -> dict[str, Preprocessing]:
    return {plate: preprocessing_of(limits, lease.model, lease.reduction) for plate, limits in lease.limits.items()}


def _groups(loaded: Iterator[LoadedSite]) -> Iterator[list[LoadedSite]]:
    """Yield neighbouring sites together until they have TILES_PER_CALL tiles."""
    group: list[LoadedSite] = []
    n_tiles = 0
    for leased, result in loaded:
        group.append((leased, result))
        n_tiles += len(result.tiles) if isinstance(result, SiteTiles) else 0
        if n_tiles >= TILES_PER_CALL:
            yield group
            group, n_tiles = [], 0
    if group:
        yield group


def _add_group(group: Sequence[LoadedSite], stored: Profiles | None, embedder: Embedder, batch: _BatchResult) -> None:
    """Embed a group of sites and add their profiles, keys and errors to the result of the batch."""
    vectors = iter(_embed([result.tiles for _, result in group if isinstance(result, SiteTiles)], embedder))
    # Servers on several kinds of processors may stand behind one address, so the last call says what it was.
    code = embedder.numerics.code
    for leased, result in group:
        site, number = leased.site, leased.number
        if isinstance(result, Unreadable):
            batch.errors[number] = result.error
            continue
        if isinstance(result, Away):
            batch.away[number] = result.reason
            continue
        if (note := changed_files(leased)) is not None:
            batch.notes[number] = note
        if isinstance(result, SiteTiles):
            of_site, key = next(vectors), full_key(result.key, code)
            batch.profiles[number] = site_profiles(
                site.id, result.origins, key, of_site, result.metrics, result.contrast
            )
            batch.thumbnails[number] = _thumbnail(site.id, result, key, of_site)
            batch.keys[number] = key
        elif stored is not None:
            rows = (stored.plates == site.plate) & (stored.wells == site.well) & (stored.sites == site.site)
            batch.profiles[number] = stored.where(rows)
            batch.keys[number] = str(stored.keys[rows][0])


def _thumbnail(site: SiteId, result: SiteTiles, key: str, vectors: NDArray[np.float32]) -> Thumbnail:
    typical = typical_tile(vectors)
    y, x = result.origins[typical]
    height, width = result.shape
    return Thumbnail(
        site=site,
        key=key,
        height=height,
        width=width,
        y=y,
        x=x,
        field=GreyPicture.of(result.picture),
        tile=GreyPicture.of(shrunk(result.tiles[typical], THUMBNAIL_EDGE)),
    )


def _keep_thumbnails(store: Store, lease: LeasedBatch, result: _BatchResult) -> None:
    """Add the stored thumbnails of the sites that were not embedded again."""
    numbers = {leased.site.id: leased.number for leased in lease.sites}
    for thumbnail in store.thumbnails(lease.screen_id, lease.number):
        number = numbers.get(thumbnail.site)
        if number is not None and result.keys.get(number) == thumbnail.key:
            result.thumbnails.setdefault(number, thumbnail)


def _contents_by_site(stored: Profiles, code: str) -> dict[SiteId, str]:
    """Return what was embedded of each site, for vectors that were computed as they are now."""
    sites = map(SiteId, stored.plates, stored.wells, stored.sites)
    keys = zip(sites, map(str, stored.keys), strict=True)
    return {site: content_of(key) for site, key in keys if code_of(key) == code}


def _embed(tiles: Sequence[NDArray[np.uint8]], embedder: Embedder) -> list[NDArray[np.float32]]:
    """Embed the tiles of several sites in one call; return the vectors of each site."""
    if not tiles:
        return []
    # Each call costs time of its own, so several small sites share one.
    vectors = embedder.embed(np.concatenate(tiles))
    ends = np.cumsum([len(t) for t in tiles])
    return np.split(vectors, ends[:-1])


def _write(store: Store, lease: LeasedBatch, result: _BatchResult) -> None:
    if result.profiles:
        in_order = [result.profiles[number] for number in sorted(result.profiles)]
        store.put_vectors(lease.screen_id, lease.number, join_profiles(in_order))
        store.put_thumbnails(
            lease.screen_id, lease.number, [result.thumbnails[number] for number in sorted(result.thumbnails)]
        )


def _drop(db: Database, store: Store, lease: LeasedBatch) -> FinishedBatch:
    drop_lost_work(db, store, lease)
    return FinishedBatch(lease.screen_id, accepted=False)
