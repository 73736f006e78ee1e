"""Dynamic batching: tiles of many requests share one run of the model, in their order and within limits.

One thread runs the model and takes its next tiles itself: those that wait, up to a full batch and to what the device
computes at once. A run never waits for more, because requests that arrive during a run share the next one. A request
with more tiles is split over several runs. Nothing in a model mixes tiles, so a vector is the same in every batch.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from gandl_shared.errors import DeadlineExceeded, Full, Unavailable
from gandl_shared.models import Embedder
from gandl_shared.web.requests.timers import SharedTimer
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

Observe = Callable[[int, float], None]
"""Called after each run with its number of tiles and its seconds."""

RATE_SMOOTHING = 0.2
"""Weight of the last run in the running rate (exponential smoothing)."""


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """Limits of a queue: tiles per run, tiles and seconds of work that may wait, seconds to fill a run, and seconds
    until a request fails."""

    max_tiles: int
    max_waiting: int
    fill_seconds: float = 0.0
    deadline_seconds: float = 120.0
    queue_seconds: float = 8.0


class Runner(Embedder, Protocol):
    """An embedder that tells how many tiles it computes at once."""

    def first_run(self, count: int) -> int:
        """Return how many of `count` tiles the next run is to take, at least one of them."""


class Timing(NamedTuple):
    """Seconds that the tiles of a request waited for their first run, and from there to their last vector."""

    queue: float
    compute: float


class _Job:
    """The tiles of one request and the vectors that are computed so far."""

    def __init__(self, tiles: Uint8, features: int, future: asyncio.Future[Float32]) -> None:
        self.tiles = tiles
        self.features = features
        self.vectors: Float32 | None = None
        self.future = future
        self.started = 0
        self.finished = 0
        self.arrival = self.begin = time.perf_counter()

    @property
    def timing(self) -> Timing:
        """How long the request took, after its last vector."""
        return Timing(queue=self.begin - self.arrival, compute=time.perf_counter() - self.begin)

    @property
    def waiting(self) -> int:
        """The number of tiles that no run has started yet."""
        return len(self.tiles) - self.started

    def store(self, start: int, vectors: Float32) -> None:
        """Store the vectors of the tiles from `start` on. The last vectors complete the request."""
        if self.future.done():
            return
        # The vectors of a request that was not split need no copy.
        if len(vectors) == len(self.tiles):
            self.future.set_result(vectors)
            return
        if self.vectors is None:
            self.vectors = np.empty((len(self.tiles), vectors.shape[1]), np.float32)
        self.vectors[start : start + len(vectors)] = vectors
        self.finished += len(vectors)
        if self.finished == len(self.tiles):
            self.future.set_result(self.vectors)


class Batcher:
    """The queue of one model. Use it inside `async with`, whose end finishes waiting requests and refuses new ones."""

    def __init__(
        self, embedder: Runner, options: BatchOptions, observe: Observe = lambda _tiles, _seconds: None
    ) -> None:
        self._embedder = embedder
        self._options = options
        self._max_tiles = options.max_tiles
        self._observe = observe
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._deadlines = SharedTimer(options.deadline_seconds)
        self._wakes = False
        # It guards the queue, which requests fill and the thread of the model empties.
        self._lock = threading.Lock()
        # What wakes the thread. A condition would cost more than the rest of a small run.
        self._changes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._draining = False
        self._rate: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # One thread: runs at the same time would share the cores and each be slower.
        self._thread = threading.Thread(target=self._work, name="gandl-embed", daemon=True)

    @property
    def waiting(self) -> int:
        """The number of tiles in the queue."""
        return self._waiting

    def enlarge(self, max_tiles: int) -> None:
        """Let runs take so many tiles, if that is more than before."""
        self._max_tiles = max(self._max_tiles, max_tiles)

    async def __aenter__(self) -> Batcher:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._draining = True
        self._changes.put(None)
        await asyncio.to_thread(self._thread.join)

    async def embed(self, tiles: Uint8) -> Float32:
        """Return the vectors of `tiles`, in order. Raises Full, Unavailable (not running or draining),
        DeadlineExceeded."""
        return (await self.embed_timed(tiles))[0]

    async def embed_timed(self, tiles: Uint8) -> tuple[Float32, Timing]:
        """Return the vectors as `embed` does, and how long they took."""
        self._admit(len(tiles))
        if not len(tiles):
            return np.empty((0, self._embedder.card.features), np.float32), Timing(queue=0, compute=0)
        job = _Job(tiles, self._embedder.card.features, asyncio.get_running_loop().create_future())
        self._add(job)
        try:
            return await job.future, job.timing
        finally:
            self._deadlines.cancel(job)
            self._remove(job)

    def _add(self, job: _Job) -> None:
        self._deadlines.add(job, partial(self._expire, job))
        with self._lock:
            self._jobs.append(job)
            self._waiting += len(job.tiles)
        # The thread is woken once for all requests of this turn of the loop, which then share a run.
        if not self._wakes:
            self._wakes = True
            job.future.get_loop().call_soon(self._wake)

    def _wake(self) -> None:
        self._wakes = False
        self._changes.put(None)

    def _expire(self, job: _Job) -> None:
        if not job.future.done():
            limit = self._options.deadline_seconds
            detail = f"{len(job.tiles)} tiles were not embedded within {limit:g} s; send fewer"
            job.future.set_exception(DeadlineExceeded(detail))

    def _admit(self, count: int) -> None:
        if self._draining or self._loop is None:
            raise Unavailable("the embedding service is draining" if self._draining else "the model is not started")
        self.check_room(count)

    def check_room(self, count: int = 0) -> None:
        """Raise Full if `count` more tiles have no room in the queue, or would wait too long at the present rate."""
        waiting = self.waiting
        # An empty queue accepts a request of any size, because no later moment would be better.
        if not waiting:
            return
        seconds = waiting / self._rate if self._rate else 0.0
        if waiting + count > self._options.max_waiting:
            raise Full(
                f"{waiting} tiles wait, {count} more exceed the queue of {self._options.max_waiting}",
                retry_after=max(seconds, 1.0),
            )
        if seconds > self._options.queue_seconds:
            raise Full(
                f"{waiting} tiles wait, which take about {seconds:.1f} s; at most {self._options.queue_seconds:g} s "
                "of work may wait",
                retry_after=seconds,
            )

    def _remove(self, job: _Job) -> None:
        """Remove a request that has ended, or whose client has left, from the queue."""
        # A request that every run has started is not in the queue any more.
        if not job.waiting:
            return
        with self._lock:
            if job in self._jobs:
                self._jobs.remove(job)
                self._waiting -= job.waiting

    def _work(self) -> None:
        """Run the model until the queue is empty and nobody may join it any more."""
        while pieces := self._next_run():
            begin = time.perf_counter()
            try:
                parts = [job.tiles[start:end] for job, start, end in pieces]
                # A run of one request needs no copy.
                vectors: Float32 | Exception = self._embedder.embed(
                    parts[0] if len(parts) == 1 else np.concatenate(parts)
                )
            except Exception as error:
                # An error of the model ends the requests of this run, not the queue.
                vectors = error
                for job, _, _ in pieces:
                    self._remove(job)
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._deliver, pieces, vectors, time.perf_counter() - begin)

    def _next_run(self) -> list[tuple[_Job, int, int]]:
        """Wait for tiles, and return the pieces of the next run (request, first tile, end); none at the end."""
        while True:
            # Nobody may join once the queue drains, so a queue that is empty after that stays empty.
            draining = self._draining
            if self._jobs:
                if self._options.fill_seconds:
                    self._fill()
                if pieces := self._take():
                    return pieces
            elif draining:
                return []
            else:
                self._changes.get()

    def _fill(self) -> None:
        """Wait until the next run is full, but not for long."""
        end = time.monotonic() + self._options.fill_seconds
        while self.waiting < self._max_tiles and not self._draining and (left := end - time.monotonic()) > 0:
            with suppress(queue.Empty):
                self._changes.get(timeout=left)

    def _take(self) -> list[tuple[_Job, int, int]]:
        """Take the pieces of a run out of the queue."""
        pieces: list[tuple[_Job, int, int]] = []
        with self._lock:
            room = self._embedder.first_run(min(self._waiting, self._max_tiles)) if self._waiting else 0
            while room and self._jobs:
                # First come, first served: a large request cannot be overtaken, and it is split where the run is full.
                job = self._jobs[0]
                if not job.started:
                    job.begin = time.perf_counter()
                start, job.started = job.started, min(len(job.tiles), job.started + room)
                pieces.append((job, start, job.started))
                room -= job.started - start
                self._waiting -= job.started - start
                if not job.waiting:
                    self._jobs.popleft()
        return pieces

    def _deliver(self, pieces: list[tuple[_Job, int, int]], vectors: Float32 | Exception, seconds: float) -> None:
        """Give the requests of a run their vectors, in the thread of the event loop."""
        if isinstance(vectors, Exception):
            self._fail(pieces, vectors)
            return
        self._update_rate(len(vectors), seconds)
        offset = 0
        for job, start, end in pieces:
            job.store(start, vectors[offset : offset + end - start])
            offset += end - start

    def _fail(self, pieces: list[tuple[_Job, int, int]], error: Exception) -> None:
        for job, _, _ in pieces:
            # A request that was cancelled or timed out has its result already.
            if not job.future.done():
                job.future.set_exception(error)

    def _update_rate(self, tiles: int, seconds: float) -> None:
        """Update the running rate, from which a refused client learns when it may try again."""
        rate = tiles / max(seconds, 1e-6)
        self._rate = rate if self._rate is None else self._rate + RATE_SMOOTHING * (rate - self._rate)
        self._observe(tiles, seconds)
