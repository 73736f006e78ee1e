"""A screen's progress as server-sent events, until it has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from gandl_shared.errors import NotFound
from gandl_shared.schemas.screen import ScreenState, ScreenStatus
from starlette.concurrency import run_in_threadpool

ENDED = (ScreenState.DONE, ScreenState.FAILED, ScreenState.CANCELLED)
_SILENCE = 15.0


@dataclass(frozen=True)
class Pace:
    """Seconds between two looks at a screen, and the longest a stream lasts."""

    interval: float
    longest: float


async def progress_events(read: Callable[[], ScreenStatus], pace: Pace) -> AsyncIterator[str]:
    """`status` with the ScreenStatus whenever it changes, then `end` (ended) or `gone` (deleted).

    A stream that reaches its longest time just closes; clients of server-sent events connect again by themselves. A
    comment every 15 s keeps proxies from closing a silent one.
    """
    started = spoke = time.monotonic()
    last: ScreenStatus | None = None
    while True:
        try:
            status = await run_in_threadpool(read)
        except NotFound as error:
            yield _event("gone", error.detail)
            return
        if status != last:
            yield _event("status", status.model_dump_json())
            last, spoke = status, time.monotonic()
        if status.state in ENDED:
            yield _event("end", status.state.value)
            return
        now = time.monotonic()
        if now - started > pace.longest:
            return
        if now - spoke > _SILENCE:
            yield ": waiting\n\n"
            spoke = now
        await asyncio.sleep(pace.interval)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
