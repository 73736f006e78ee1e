"""One timer of the event loop for all calls that are due after the same time and are mostly cancelled before.

A timer for each request costs several times as much: the loop makes it, and closes it in a later turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary


class SharedTimer:
    """Calls that are due `seconds` after they are added. It belongs to one event loop."""

    __slots__ = ("_calls", "_is_set", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # In the order in which they are due.
        self._calls: dict[object, tuple[float, Callable[[], None]]] = {}
        self._is_set = False

    def add(self, key: object, call: Callable[[], None]) -> None:
        """Have `call` called when its time is over. The key cancels it, and must be new."""
        loop = asyncio.get_running_loop()
        self._calls[key] = (loop.time() + self._seconds, call)
        if not self._is_set:
            self._is_set = True
            loop.call_later(self._seconds, self._ring)

    def cancel(self, key: object) -> None:
        """Forget a call. One that was made already, or was cancelled, is no error."""
        self._calls.pop(key, None)

    def _ring(self) -> None:
        """Make the calls that are due, and come back when the next one is."""
        loop = asyncio.get_running_loop()
        self._is_set = False
        for key, (due, call) in list(self._calls.items()):
            if (left := due - loop.time()) > 0:
                self._is_set = True
                loop.call_later(left, self._ring)
                return
            del self._calls[key]
            call()


_timers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, SharedTimer]] = WeakKeyDictionary()


def shared_timer(seconds: float) -> SharedTimer:
    """Return the timer of the running event loop for calls after so many seconds."""
    timers = _timers.setdefault(asyncio.get_running_loop(), {})
    if seconds not in timers:
        timers[seconds] = SharedTimer(seconds)
    return timers[seconds]
