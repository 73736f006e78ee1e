"""The decoder processes of a service: image files go in, tiles come out, and a process that misbehaves is replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from gandl_shared.errors import Full, InvalidImage, Unavailable
from gandl_shared.imaging import IntensityLimits
from gandl_shared.models import ModelCard
from numpy.typing import NDArray
from pydantic import ValidationError

from gandl_embedding.inputs.messages import LENGTH, MAX_HEAD, Order, Part, Reply, head_of
from gandl_embedding.inputs.tiles import RequestLimits, Tiles
from gandl_embedding.inputs.uploads import Upload

T = TypeVar("T")

START_SECONDS = 60.0
"""The time within which a process starts for a request."""
FIRST_START_SECONDS = 1800.0
"""The time within which the first process starts: nobody waits for it, and a starved machine takes minutes."""
RATE_SMOOTHING = 0.2
"""Weight of the last request in the running mean of seconds per request."""

# Each process decodes one request, so threads of its libraries would only fight for the cores of the others.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TIFFFILE_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}


@dataclass(frozen=True, kw_only=True)
class DecoderLimits:
    """The number of processes, the MiB that each may use, the seconds after which it is ended in any case, and the
    seconds that a request may be expected to wait for one."""

    processes: int
    memory_mib: int
    seconds: float
    queue_seconds: float


class Decoders:
    """Decoder processes. They start when they are needed and end with `close`."""

    def __init__(self, limits: DecoderLimits) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(limits.processes)
        self._idle: list[_Decoder] = []
        self._all: set[_Decoder] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting = 0
        self._mean_seconds = 0.0
        self._closed = False

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a process."""
        return self._waiting

    @property
    def all(self) -> frozenset[_Decoder]:
        """Every process that runs."""
        return frozenset(self._all)

    async def warm_up(self) -> None:
        """Start one process, so that the first request finds it ready.

        Raises Unavailable if it does not start, and after `close`, which ends the wait for it.
        """
        await self._register(asyncio.create_task(self._start_first()))

    def check_room(self) -> None:
        """Raise Full if a request would have to wait longer than the limit."""
        seconds = self._waiting * self._mean_seconds / self._limits.processes
        if seconds > self._limits.queue_seconds:
            raise Full(f"a decoder is free in about {seconds:.1f} s; try again then", retry_after=seconds)

    async def tiles(
        self, uploads: Sequence[Upload], card: ModelCard, limits: IntensityLimits | None, request_limits: RequestLimits
    ) -> Tiles:
        """Return the tiles of uploaded files. Raises Full, Unavailable and what `tiles_of_uploads` raises."""
        self.check_room()
        order = Order(
            card=card,
            limits=limits,
            max_pixels=request_limits.max_pixels,
            max_tiles=request_limits.max_tiles,
            allow_clipping=request_limits.allow_clipping,
            keep_going=request_limits.keep_going,
            channels=request_limits.channels,
            parts=tuple(Part(field=u.field, filename=u.filename, size=len(u.content)) for u in uploads),
        )
        await self._take_place()
        # What a client leaves behind is soon decoded, and to start another process would cost more.
        return await asyncio.shield(self._register(asyncio.create_task(self._decoded(order, uploads))))

    async def close(self) -> None:
        """End all processes, whatever they do."""
        self._closed = True
        for decoder in self.all:
            decoder.kill()
        # The requests of processes that are gone end with an error.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for decoder in self.all:
            await self._end(decoder)

    async def _take_place(self) -> None:
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    async def _decoded(self, order: Order, uploads: Sequence[Upload]) -> Tiles:
        """Decode in a process and give the place back."""
        try:
            async with self._decoder() as decoder:
                start = time.perf_counter()
                tiles = await decoder.tiles(order, uploads, self._limits.seconds)
                self._mean_seconds += RATE_SMOOTHING * (time.perf_counter() - start - self._mean_seconds)
                return tiles
        finally:
            self._free.release()

    async def _start_first(self) -> None:
        async with self._decoder(FIRST_START_SECONDS):
            return

    def _register(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        """Let `close` wait for the end of a task, and return it."""
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # The error of a request whose client has left interests nobody, but asyncio would log it.
        if not task.cancelled():
            task.exception()

    @asynccontextmanager
    async def _decoder(self, start_seconds: float = START_SECONDS) -> AsyncIterator[_Decoder]:
        """Lend a process that is ready. It is ended unless it has answered its request whole."""
        if self._closed:
            raise Unavailable("the embedding service is draining")
        decoder = self._idle.pop() if self._idle else self._start()
        try:
            await decoder.ready(start_seconds)
            yield decoder
        finally:
            if decoder.is_idle and not self._closed:
                self._idle.append(decoder)
            else:
                await self._end(decoder)
                # The next request should not wait for the start of a process.
                if not self._closed:
                    self._idle.append(self._start())

    def _start(self) -> _Decoder:
        decoder = _Decoder(self._limits.memory_mib)
        self._all.add(decoder)
        return decoder

    async def _end(self, decoder: _Decoder) -> None:
        self._all.discard(decoder)
        await decoder.end()


class _Decoder:
    """One process and the connection to it."""

    def __init__(self, memory_mib: int) -> None:
        self._connection, other = socket.socketpair()
        self._connection.setblocking(False)
        descriptor = other.fileno()
        command = [sys.executable, "-m", "gandl_embedding.inputs.decoder", str(descriptor), str(memory_mib)]
        with other:
            # In a session of its own it does not get the Ctrl-C that stops the service, which still answers.
            self._process = subprocess.Popen(
                command, pass_fds=[descriptor], start_new_session=True, env={**os.environ, **_ONE_THREAD}
            )
        self._started = False
        self.is_idle = False

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    async def ready(self, seconds: float) -> None:
        """Wait until the process has loaded its libraries. Raises Unavailable if it does not start in this time."""
        if self._started:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._received(LENGTH.size)
        except (TimeoutError, OSError) as error:
            raise Unavailable("a decoder does not start; the log of the service has the reason") from error
        self._started = self.is_idle = True

    async def tiles(self, order: Order, uploads: Sequence[Upload], seconds: float) -> Tiles:
        """Have the files of `order` decoded."""
        self.is_idle = False
        try:
            async with asyncio.timeout(seconds):
                reply, tiles = await self._answer(order, uploads)
        except (TimeoutError, OSError, ValidationError, ValueError) as error:
            names = ", ".join(upload.filename for upload in uploads[:3])
            raise InvalidImage(f"{names[:200]} cannot be decoded: {await self._fate()}") from error
        self.is_idle = True
        if reply.refusal is not None:
            raise reply.refusal.as_error()
        return reply.with_tiles(tiles)

    async def _answer(self, order: Order, uploads: Sequence[Upload]) -> tuple[Reply, NDArray[np.uint8]]:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._connection, head_of(order))
        for upload in uploads:
            await loop.sock_sendall(self._connection, upload.content)
        (length,) = LENGTH.unpack(await self._received(LENGTH.size))
        if length > MAX_HEAD:
            raise ValueError(f"the head of an answer has {length} bytes")
        reply = Reply.model_validate_json(bytes(await self._received(length)))
        size, count = order.card.size, sum(reply.counts)
        if not 0 <= count <= order.max_tiles:
            raise ValueError(f"an answer has {count} tiles")
        shape = (count, len(order.card.channels), size, size)
        tiles = np.frombuffer(await self._received(int(np.prod(shape))), np.uint8).reshape(shape)
        return reply, tiles

    async def _received(self, count: int) -> bytearray:
        """Return so many bytes. Raises ConnectionError if the process ends before."""
        loop = asyncio.get_running_loop()
        data = bytearray(count)
        view, position = memoryview(data), 0
        while position < count:
            received = await loop.sock_recv_into(self._connection, view[position:])
            if not received:
                raise ConnectionError("the decoder ended")
            position += received
        return data

    async def _fate(self) -> str:
        """Return why there was no answer, after the end of the process."""
        await self.end()
        if self._process.returncode == -signal.SIGPROF:
            return "it takes longer than files of its size do"
        if self._process.returncode == -signal.SIGKILL:
            return "it takes too long or too much memory"
        return "the decoder broke off"

    def kill(self) -> None:
        """End the process at once; a request that it works on sees that its connection is closed."""
        self._process.kill()

    async def end(self) -> None:
        """End the process, on which no request waits any more."""
        self._connection.close()
        # A process that ended by itself keeps its reason; the others are at most in the middle of an answer.
        if self._process.poll() is None:
            try:
                await asyncio.to_thread(self._process.wait, 0.05)
            except subprocess.TimeoutExpired:
                self._process.kill()
                await asyncio.to_thread(self._process.wait)
