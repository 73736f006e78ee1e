"""The job of a worker: the sites of a leased batch become vectors in the store.

It knows no queue, so `gandl screen` calls the same functions. Two threads read and decode a few sites ahead of the
model, and memory does not grow with the screen. Every step can be repeated: vectors of a batch replace earlier ones,
and a site whose key is stored is not embedded again.
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
from gandl_shared.imaging import shrunk
from gandl_shared.jobs import LeaseRenewal, drop_lost_work, preprocessing_of
from gandl_shared.models import Embedder
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

from gandl_worker.sites import SiteTiles, Unchanged, Unreadable, load_inside

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
DECODERS = 2
MAX_SITES_AHEAD = 4
"""At most so many sites are decoded before the model is ready for them."""
TILES_PER_CALL = 64
"""Small sites go to the model together until their tiles reach this number."""

_RUNNING = (ScreenState.QUEUED, ScreenState.EMBEDDING)
_POLL_SECONDS = 0.2
_DELAY_OF_AN_ABSENT_SERVICE = 5.0

SiteResult = SiteTiles | Unchanged | Unreadable
LoadedSite = tuple[LeasedSite, SiteResult]


@dataclass
class _BatchResult:
    """The results of a batch so far, by the number of the site: profiles, thumbnail and key, or the error."""

    profiles: dict[int, Profiles] = field(default_factory=dict)
    thumbnails: dict[int, Thumbnail] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


def run_screen(
    db: Database,
    store: Store,
    embedder: Embedder,
    screen_id: str,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    seconds: float = LEASE_SECONDS,
) -> ScreenStatus:
    """Run all batches of a screen in this process until none is open, and return the status afterwards.

    A batch that fails is tried again and then parked, as with many workers. Raises NotFound, or Conflict if the screen
    was planned for another model.
    """
    record = db.screens.get(screen_id)
    if record.model.id != embedder.model_id:
        raise Conflict(f"screen '{screen_id}' was planned for model {record.model.name}, not {embedder.card.name}")
    while (status := db.screens.status(screen_id)).state in _RUNNING:
        on_progress(status.progress)
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

    The batch loses no attempt if the model service is full or away. The result says whether the lease was still valid
    and which analysis was queued.
    """
    try:
        with LeaseRenewal(db.batches, lease, seconds) as renewal:
            result = _embed_batch(store, embedder, lease, renewal)
            if result is None:
                return _drop(db, store, lease)
            _write(store, lease, result)
    except (Full, Unavailable, DeadlineExceeded) as error:
        delay = error.retry_after if isinstance(error, Full) else _DELAY_OF_AN_ABSENT_SERVICE
        log.warning("batch %d waits %.0f s: %s", lease.id, delay, error)
        db.batches.release(lease, delay)
        return FinishedBatch(lease.screen_id, accepted=False)
    except Exception as error:  # no failure may end the worker: it is recorded with the batch
        log.exception("batch %d of screen %s failed, attempt %d", lease.id, lease.screen_id, lease.attempt)
        detail = error.detail if isinstance(error, GandlError) else f"{type(error).__name__}: {error}"
        return db.batches.fail(lease, detail)
    # The vectors are stored before the batch is closed, so a crash between the two only repeats the batch.
    finished = db.batches.finish(lease, result.keys, result.errors)
    return finished if finished.accepted else _drop(db, store, lease)


def _embed_batch(store: Store, embedder: Embedder, lease: LeasedBatch, renewal: LeaseRenewal) -> _BatchResult | None:
    """Return the results of all sites, or None as soon as the lease is lost."""
    # Vectors of two models cannot be compared, so a service with another model must not do this batch.
    _check_model(embedder, lease)
    stored = store.vectors(lease.screen_id, lease.number)
    # Profiles of older versions have no metrics of their images, so their sites are embedded again.
    stored_keys = _keys_by_site(stored) if stored is not None and stored.has_site_metrics else {}
    result = _BatchResult()
    for group in _groups(_load_sites(lease, stored_keys)):
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


def _load_sites(lease: LeasedBatch, stored_keys: Mapping[SiteId, str]) -> Iterator[LoadedSite]:
    """Yield the sites in order. Threads decode them, at most MAX_SITES_AHEAD before they are used."""
    preprocessing = {
        plate: preprocessing_of(limits, lease.model, lease.reduction) for plate, limits in lease.limits.items()
    }
    pending: deque[tuple[LeasedSite, Future[SiteResult]]] = deque()
    with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as pool:
        for leased in lease.sites:
            site = leased.site
            of_plate = preprocessing.get(site.plate)
            future = pool.submit(load_inside, site, of_plate, lease.model.id, stored_keys.get(site.id))
            pending.append((leased, future))
            # Where decoding is faster than the model, the images would fill the memory without this limit.
            if len(pending) > MAX_SITES_AHEAD:
                first, future = pending.popleft()
                yield first, future.result()
        while pending:
            first, future = pending.popleft()
            yield first, future.result()


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
    vectors = _embed([result.tiles for _, result in group if isinstance(result, SiteTiles)], embedder)
    for leased, result in group:
        site, number = leased.site, leased.number
        if isinstance(result, Unreadable):
            batch.errors[number] = result.error
            continue
        batch.keys[number] = result.key
        if isinstance(result, SiteTiles):
            of_site = next(vectors)
            batch.profiles[number] = site_profiles(
                site.id, result.origins, result.key, of_site, result.metrics, result.contrast
            )
            batch.thumbnails[number] = _thumbnail(site.id, result, of_site)
        elif stored is not None:
            rows = (stored.plates == site.plate) & (stored.wells == site.well) & (stored.sites == site.site)
            batch.profiles[number] = stored.where(rows)


def _thumbnail(site: SiteId, result: SiteTiles, vectors: NDArray[np.float32]) -> Thumbnail:
    typical = typical_tile(vectors)
    y, x = result.origins[typical]
    height, width = result.shape
    return Thumbnail(
        site=site,
        key=result.key,
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


def _keys_by_site(stored: Profiles) -> dict[SiteId, str]:
    sites = map(SiteId, stored.plates, stored.wells, stored.sites)
    return dict(zip(sites, map(str, stored.keys), strict=True))


def _embed(tiles: Sequence[NDArray[np.uint8]], embedder: Embedder) -> Iterator[NDArray[np.float32]]:
    """Embed the tiles of several sites in one call; yield the vectors of each site."""
    if not tiles:
        return
    # Each call costs time of its own, so several small sites share one.
    vectors = embedder.embed(np.concatenate(tiles))
    ends = np.cumsum([len(t) for t in tiles])
    yield from np.split(vectors, ends[:-1])


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
