"""Work is dropped when its client has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from gandl_shared.web.requests.timers import shared_timer

CLIENT_GONE = 499
"""The status that metrics and logs show for a request whose client left before the answer."""
UNWATCHED_SECONDS = 0.1
"""Work that ends sooner is not watched, because a task that watches costs as much as a small request."""

T = TypeVar("T")


async def while_present(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:  # Any: what a coroutine is sent
    """Return the result of `work`, or None after its cancellation if the client disconnects first.

    The body of the request must have been read, because `receive` is asked for the next message.
    """
    loop = asyncio.get_running_loop()
    task, is_gone = asyncio.current_task(loop), False
    assert task is not None

    async def watch() -> None:
        nonlocal is_gone
        while (await receive())["type"] != "http.disconnect":
            pass
        is_gone = True
        task.cancel()

    watchers: list[asyncio.Task[None]] = []
    timer = shared_timer(UNWATCHED_SECONDS)
    timer.add(watch, lambda: watchers.append(loop.create_task(watch())))
    # The work stays in the task of the request, because another task for it would cost more than most of the rest.
    try:
        return await work
    except asyncio.CancelledError:
        if not is_gone:
            raise
        task.uncancel()
        return None
    finally:
        timer.cancel(watch)
        for watcher in watchers:
            watcher.cancel()
