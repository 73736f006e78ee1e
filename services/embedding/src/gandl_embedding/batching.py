"""Dynamic batching: tiles of many requests share one run of the model, in order, within bounds.

A run takes what waits, up to a full batch; a request longer than that is cut across runs, so none is padded and none
waits for more than what came before it. Nothing in a model mixes tiles, so a vector is the same in every batch.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from gandl_shared.errors import DeadlineExceeded, Full, Unavailable
from gandl_shared.models import Embedder
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

Observe = Callable[[int, float], None]
"""Told of each run: its tiles and seconds."""

_FIRST_RATE = 100.0
"""Tiles a second assumed before the first run was timed."""


@dataclass(frozen=True)
class BatchOptions:
    """`most` tiles a run; wait `wait_s` to fill it; hold at most `queue` tiles; give up after `deadline_s`."""

    most: int
    queue: int
    wait_s: float = 0.002
    deadline_s: float = 120.0


class _Job:
    """The tiles of one request and what is known of its vectors."""

    def __init__(self, tiles: Uint8, features: int, future: asyncio.Future[Float32]) -> None:
        self.tiles = tiles
        self.vectors = np.empty((len(tiles), features), np.float32)
        self.future = future
        self.taken = 0
        self.filled = 0

    @property
    def waiting(self) -> int:
        """Tiles no run has taken yet."""
        return len(self.tiles) - self.taken

    def put(self, start: int, vectors: Float32) -> None:
        """Store the vectors of tiles `start`…; the last ones complete the request."""
        self.vectors[start : start + len(vectors)] = vectors
        self.filled += len(vectors)
        if self.filled == len(self.tiles) and not self.future.done():
            self.future.set_result(self.vectors)


class Batcher:
    """One model's queue. Use inside `async with`: leaving it finishes what waits and refuses what comes."""

    def __init__(
        self, embedder: Embedder, options: BatchOptions, observe: Observe = lambda _tiles, _seconds: None
    ) -> None:
        self._embedder = embedder
        self._options = options
        self._observe = observe
        self._jobs: deque[_Job] = deque()
        self._arrived = asyncio.Event()
        self._draining = False
        self._rate = _FIRST_RATE
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gandl-embed")

    @property
    def waiting(self) -> int:
        """Tiles in the queue."""
        return sum(job.waiting for job in self._jobs)

    async def __aenter__(self) -> Batcher:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._draining = True
        self._arrived.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def embed(self, tiles: Uint8) -> Float32:
        """Vectors of `tiles`, in order. Raises Full, Unavailable (not running or draining), DeadlineExceeded."""
        self._admit(len(tiles))
        if not len(tiles):
            return np.empty((0, self._embedder.card.features), np.float32)
        job = _Job(tiles, self._embedder.card.features, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._arrived.set()
        try:
            async with asyncio.timeout(self._options.deadline_s):
                return await job.future
        except TimeoutError as error:
            limit = self._options.deadline_s
            raise DeadlineExceeded(f"{len(tiles)} tiles were not embedded within {limit:g} s; send fewer") from error
        finally:
            self._forget(job)

    def _admit(self, count: int) -> None:
        if self._draining or self._task is None:
            raise Unavailable("the embedding service is draining" if self._draining else "the model is not started")
        waiting = self.waiting
        if waiting and waiting + count > self._options.queue:
            raise Full(
                f"{waiting} tiles wait, {count} more exceed the queue of {self._options.queue}",
                retry_after=waiting / self._rate,
            )

    def _forget(self, job: _Job) -> None:
        """Take a request that is done, given up or whose client is gone out of the queue."""
        if job in self._jobs:
            self._jobs.remove(job)

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if not self._draining:
                await self._fill()
            while self._jobs:
                await self._run(self._take())
            if self._draining:
                return

    async def _fill(self) -> None:
        """Wait a moment for more tiles where a run would not be full."""
        try:
            async with asyncio.timeout(self._options.wait_s):
                while self.waiting < self._options.most and not self._draining:
                    await self._arrived.wait()
                    self._arrived.clear()
        except TimeoutError:
            return

    def _take(self) -> list[tuple[_Job, int, int]]:
        """The next run: pieces (request, first tile, end) from the front of the queue."""
        pieces, room = [], self._options.most
        while room and self._jobs:
            job = self._jobs[0]
            start, job.taken = job.taken, min(len(job.tiles), job.taken + room)
            pieces.append((job, start, job.taken))
            room -= job.taken - start
            if not job.waiting:
                self._jobs.popleft()
        return pieces

    async def _run(self, pieces: list[tuple[_Job, int, int]]) -> None:
        parts = [job.tiles[start:end] for job, start, end in pieces]
        tiles = parts[0] if len(parts) == 1 else np.concatenate(parts)
        begin = time.perf_counter()
        try:
            vectors = await asyncio.get_running_loop().run_in_executor(self._thread, self._embedder.embed, tiles)
        except Exception as error:  # whatever the model raises belongs to the requests of this run, not to the queue
            self._fail(pieces, error)
            return
        self._learn(len(tiles), time.perf_counter() - begin)
        offset = 0
        for job, start, end in pieces:
            job.put(start, vectors[offset : offset + end - start])
            offset += end - start

    def _fail(self, pieces: list[tuple[_Job, int, int]], error: Exception) -> None:
        for job, _, _ in pieces:
            self._forget(job)
            if not job.future.done():
                job.future.set_exception(error)

    def _learn(self, tiles: int, seconds: float) -> None:
        """Keep a running rate, from which a refused client is told when to come back."""
        self._rate += 0.2 * (tiles / max(seconds, 1e-6) - self._rate)
        self._observe(tiles, seconds)
