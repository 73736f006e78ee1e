"""Routes whose bodies are bounded: one that is too large is refused before it is in memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from gandl_shared.errors import TooLarge
from starlette.types import Message

MOST_BYTES = 2**26
"""A plate map of 50 million characters fits, with what JSON adds."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]  # Any: what a coroutine is sent, which is nothing


class BoundedRoute(APIRoute):
    """A route that answers 413 to bodies of more than MOST_BYTES, whether or not they say their length."""

    def get_route_handler(self) -> Handler:
        """FastAPI's handler, given a body that was read here."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            body = await _read(request)

            async def receive() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            return await handle(Request(request.scope, receive))

        return bounded


async def _read(request: Request) -> bytes:
    stated = request.headers.get("content-length", "0")
    if stated.isdigit() and int(stated) > MOST_BYTES:
        raise _too_large()
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise _too_large()
        parts.append(chunk)
    return b"".join(parts)


def _too_large() -> TooLarge:
    return TooLarge(f"the body has more than {MOST_BYTES} bytes; name the plate map by its path")
