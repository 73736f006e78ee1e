"""An id for every request, by which its answer and the log can be matched."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gandl_shared.schemas.headers import REQUEST_ID

_HEADER = REQUEST_ID.lower().encode()
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
# An id need not be secret, and the system's own random numbers cost a call of the kernel for each request.
_ids = random.Random()


class RequestIds:
    """Middleware that gives every request an id and sends it back in the header X-Request-ID.

    The client's own id is used if it is a plain token; other text could forge lines of the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = identity_of(dict(scope["headers"]))
        scope.setdefault("state", {})["request_id"] = identity

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The answer to an error may have the id already, and a header should not appear twice.
                others = [pair for pair in message.get("headers", []) if pair[0].lower() != _HEADER]
                message["headers"] = [*others, (REQUEST_ID.encode(), identity.encode())]
            await send(message)

        await self._app(scope, receive, send_with_id)


def request_id(request: Request) -> str | None:
    """Return the id of a request, which is also in its answer's X-Request-ID."""
    value = getattr(request.state, "request_id", None)
    return value if isinstance(value, str) else None


def identity_of(headers: Mapping[bytes, bytes]) -> str:
    """Return the id of a request with these headers: that of its client, or a new one."""
    header = headers.get(_HEADER)
    if header is not None and _TOKEN.fullmatch(text := header.decode("latin-1")):
        return text
    return f"{_ids.getrandbits(128):032x}"
