"""Limits on the size and the time of request bodies.

A body that is too large is refused before it is in memory, and one that does not arrive keeps no room for long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from gandl_shared.errors import Malformed, TooLarge, TooSlow, UnsupportedType
from gandl_shared.web.requests.timers import shared_timer

MAX_DIGITS = 19
"""More digits than a header Content-Length can need; Python refuses to read thousands of them."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]  # Any: what a coroutine is sent, which is nothing


@dataclass(frozen=True)
class BodyLimit:
    """The most bytes that a request body may have, and the advice that a client gets whose body is larger.

    A body may pause for `pause_seconds`, and after these it must have arrived at `min_rate` bytes per second.
    """

    max_bytes: int
    advice: str
    pause_seconds: float = 10.0
    min_rate: float = 2.0**16

    def stated_length(self, request: Request) -> int | None:
        """Return the Content-Length of a request, None if it has none.

        Raises Malformed, TooLarge, and UnsupportedType for a compressed body, whose size says nothing.
        """
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            raise UnsupportedType(f"the body is compressed ({coding[:20]!r}); send it without Content-Encoding")
        return self.checked_length(request.headers.get("content-length"))

    def checked_length(self, text: str | None) -> int | None:
        """Return the number in a header Content-Length as `stated_length` does."""
        if text is None:
            return None
        # int() would also accept signs, spaces and underscores, which RFC 9110 does not allow here.
        if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
            raise Malformed(f"Content-Length is {text[:40]!r}; it must be a number of bytes")
        if int(text) > self.max_bytes:
            raise TooLarge(f"the body has {text} bytes, and {self.max_bytes} are allowed; {self.advice}")
        return int(text)

    def limit(self, receive: Receive, reserve: Callable[[int], None] = lambda _: None) -> Receive:
        """Return `receive` that raises TooLarge once a body is over the limit, and TooSlow once it is over its time.

        `reserve` is called with the bytes that arrive, and may refuse them too.
        """
        total, start = 0, time.monotonic()

        async def limited() -> Message:
            nonlocal total
            left = start + self.pause_seconds + total / self.min_rate - time.monotonic()
            try:
                async with asyncio.timeout(max(min(left, self.pause_seconds), 0)):
                    message = await receive()
            except TimeoutError as error:
                raise self.too_slow(total) from error
            arrived = len(message.get("body", b""))
            total += arrived
            self._check_arrived(total)
            reserve(arrived)
            return message

        return limited

    async def read(self, request: Request, reserve: Callable[[int], None] = lambda _: None) -> bytes:
        """Return the whole body of a request. Raises what `stated_length` and `reserve` raise, TooSlow."""
        self.stated_length(request)
        return await self.read_from(request.receive, reserve)

    async def read_from(self, receive: Receive, reserve: Callable[[int], None]) -> bytes:
        """Return the whole body that `receive` gives, whose stated length was checked. Raises as `read` does."""
        parts: list[bytes] = []
        total, more = 0, True
        with _Clock(self) as clock:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Malformed("the body ended before it was complete")
                part = message.get("body", b"")
                parts.append(part)
                total += len(part)
                self._check_arrived(total)
                reserve(len(part))
                more = message.get("more_body", False)
                if more:
                    clock.note(total)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _check_arrived(self, total: int) -> None:
        # Content-Length may be absent or wrong, so the bytes that arrive are counted too.
        if total > self.max_bytes:
            raise TooLarge(f"the body has more than {self.max_bytes} bytes; {self.advice}")

    def too_slow(self, total: int) -> TooSlow:
        """Return the error of a body of which so many bytes arrived in time."""
        return TooSlow(f"only {total} bytes of the body arrived in time; send it again, faster")


class _Clock:
    """Ends the task that reads a body when its time is over. Raises TooSlow.

    It looks when the time of a pause is over whether bytes have arrived since, which costs much less than
    `asyncio.timeout`.
    """

    __slots__ = ("_is_over", "_last", "_later", "_limit", "_loop", "_start", "_task", "_timer", "_total")

    def __init__(self, limit: BodyLimit) -> None:
        self._limit, self._total, self._is_over = limit, 0, False
        self._timer = shared_timer(limit.pause_seconds)
        self._later: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)

    def __enter__(self) -> _Clock:
        self._start = self._last = self._loop.time()
        self._timer.add(self, self._look)
        return self

    def note(self, total: int) -> None:
        """Note that so many bytes have arrived until now."""
        self._total, self._last = total, self._loop.time()

    def _look(self) -> None:
        end = min(self._last, self._start + self._total / self._limit.min_rate) + self._limit.pause_seconds
        left = end - self._loop.time()
        if left > 0:
            self._later = self._loop.call_later(left, self._look)
            return
        assert self._task is not None
        self._is_over = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel(self)
        if self._later is not None:
            self._later.cancel()
        assert self._task is not None
        if self._is_over and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise self._limit.too_slow(self._total)


def bounded_route(limit: BodyLimit) -> type[APIRoute]:
    """Return a class of routes that answer 413 to bodies over the limit."""

    class BoundedRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            # The body is read here, because FastAPI turns what is raised while it reads one into a 400.
            async def handle_bounded(request: Request) -> Response:
                body = await limit.read(request)
                return await handle(Request(request.scope, _replay(body)))

            return handle_bounded

    return BoundedRoute


def _replay(body: bytes) -> Receive:
    """Return a `receive` that gives a body that was read before."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
