"""A limit on the size of request bodies: a body that is too large is refused before it is in memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from gandl_shared.errors import Malformed, TooLarge

Handler = Callable[[Request], Coroutine[Any, Any, Response]]  # Any: what a coroutine is sent, which is nothing


@dataclass(frozen=True)
class BodyLimit:
    """The most bytes that a request body may have, and the advice that a client gets whose body is larger."""

    max_bytes: int
    advice: str

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

    def limit(self, receive: Receive) -> Receive:
        """Return `receive` that raises TooLarge once a body is over the limit, whatever length it states."""
        total = 0

        async def limited() -> Message:
            nonlocal total
            message = await receive()
            # Content-Length may be absent or wrong, so the bytes that arrive are counted too.
            total += len(message.get("body", b""))
            if total > self.max_bytes:
                raise TooLarge(f"the body has more than {self.max_bytes} bytes; {self.advice}")
            return message

        return limited

    async def read(self, request: Request) -> bytes:
        """Return the whole body of a request. Raises Malformed, TooLarge."""
        self.stated_length(request)
        return await Request(request.scope, self.limit(request.receive)).body()


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
