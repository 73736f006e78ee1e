"""The progress of a screen as server-sent events, until the screen has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from gandl_shared.errors import NotFound
from gandl_shared.schemas.screen import ScreenStatus
from starlette.concurrency import run_in_threadpool

KEEP_ALIVE_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How many seconds pass between two reads of a screen's status, and how many a stream lasts at most."""

    interval: float
    max_seconds: float


async def progress_events(read: Callable[[], ScreenStatus], pace: Pace) -> AsyncIterator[str]:
    """Yield `status` with the ScreenStatus whenever it changes, then `end` (the screen ended) or `gone` (deleted).

    A stream that reaches its maximum time just closes, because clients of server-sent events connect again by
    themselves.
    """
    start = last_sent = time.monotonic()
    last: ScreenStatus | None = None
    while True:
        try:
            # The database is read in a thread, because other requests need this loop.
            status = await run_in_threadpool(read)
        except NotFound as error:
            yield _event("gone", error.detail)
            return
        if status != last:
            yield _event("status", status.model_dump_json())
            last, last_sent = status, time.monotonic()
        # The final status is sent before the end, so that a client needs no further request.
        if status.state.has_ended:
            yield _event("end", status.state.value)
            return
        now = time.monotonic()
        if now - start > pace.max_seconds:
            return
        if now - last_sent > KEEP_ALIVE_SECONDS:
            # Proxies close connections that stay silent for about a minute; clients ignore a comment.
            yield ": waiting\n\n"
            last_sent = now
        await asyncio.sleep(pace.interval)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
