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
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from gandl_shared.errors import Malformed, TooLarge, TooSlow

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
        """Return the Content-Length of a request, None if it has none. Raises Malformed, TooLarge."""
        text = request.headers.get("content-length")
        if text is None:
            return None
        # int() would also accept signs, spaces and underscores, which RFC 9110 does not allow here.
        if not (text.isascii() and text.isdigit()):
            raise Malformed(f"Content-Length is {text!r}; it must be a number of bytes")
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
                raise TooSlow(f"only {total} bytes of the body arrived in time; send it again, faster") from error
            # Content-Length may be absent or wrong, so the bytes that arrive are counted too.
            arrived = len(message.get("body", b""))
            total += arrived
            if total > self.max_bytes:
                raise TooLarge(f"the body has more than {self.max_bytes} bytes; {self.advice}")
            reserve(arrived)
            return message

        return limited

    async def read(self, request: Request, reserve: Callable[[int], None] = lambda _: None) -> bytes:
        """Return the whole body of a request. Raises Malformed, TooLarge, TooSlow, and what `reserve` raises."""
        self.stated_length(request)
        try:
            return await Request(request.scope, self.limit(request.receive, reserve)).body()
        except ClientDisconnect as error:
            raise Malformed("the body ended before it was complete") from error


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
