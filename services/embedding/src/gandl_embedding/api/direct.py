"""The short way of plain requests to `POST /embed`: an `.npy` body, and no parameter but `model`.

The router and the parsers of FastAPI take longer for such a request than all the rest, and most requests are such.
Everything else, and everything that is refused before its body is read, goes the ordinary way, which the specification
describes.
"""

from __future__ import annotations

import hmac
import re
from typing import NamedTuple

from fastapi import Response
from gandl_shared.clients.wire import NPY
from gandl_shared.errors import GandlError
from gandl_shared.schemas.headers import API_KEY
from gandl_shared.web.errors import error_response
from gandl_shared.web.requests.bodies import BodyLimit
from gandl_shared.web.requests.presence import CLIENT_GONE, while_present
from starlette.types import ASGIApp, Receive, Scope, Send

from gandl_embedding.api.answers import BYTES, AnswerForm, render
from gandl_embedding.service import EmbeddingService, EmbedOptions

_MEDIA = (NPY.encode(), BYTES.encode())
_KEY = API_KEY.lower().encode()
# Names with other characters are decoded the ordinary way.
_MODEL = re.compile(rb"model=([A-Za-z0-9._~-]+)")


class Route(NamedTuple):
    """What metrics call a route."""

    path: str


EMBED = Route("/embed")


class PlainRequest(NamedTuple):
    """A request of the short way: its model, the bytes that it announces, and its header Accept."""

    model: str | None
    length: int
    accept: str | None


class DirectEmbedding:
    """Middleware that answers plain requests to `POST /embed`, and passes on all others."""

    def __init__(self, app: ASGIApp, service: EmbeddingService, limit: BodyLimit) -> None:
        self._app, self._service, self._limit = app, service, limit
        key = service.settings.api_key
        self._key = key.get_secret_value().encode() if key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a plain request, or pass it on."""
        request = self._plain(scope)
        if request is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = EMBED
        try:
            answer = await self._answer(request, receive)
        except GandlError as error:
            answer = error_response(error, scope.get("state", {}).get("request_id"))
        await answer(scope, receive, send)

    def _plain(self, scope: Scope) -> PlainRequest | None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        if scope["path"] != scope.get("root_path", "") + EMBED.path:
            return None
        query = scope["query_string"]
        named = _MODEL.fullmatch(query) if query else None
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        if (query and named is None) or headers.get(b"content-type") not in _MEDIA or not length.isdigit():
            return None
        if int(length) > self._limit.max_bytes or not self._has_key(headers.get(_KEY)):
            return None
        accept = headers.get(b"accept")
        return PlainRequest(
            named[1].decode() if named else None, int(length), None if accept is None else accept.decode("latin-1")
        )

    def _has_key(self, key: bytes | None) -> bool:
        return self._key is None or (key is not None and hmac.compare_digest(key, self._key))

    async def _answer(self, request: PlainRequest, receive: Receive) -> Response:
        self._service.check_room(request.model)
        with self._service.reservation(request.length) as reserve:
            body = await self._limit.read_from(receive, reserve)
            answer = await while_present(receive, self._rendered(request, body))
        return Response(status_code=CLIENT_GONE) if answer is None else answer

    async def _rendered(self, request: PlainRequest, body: bytes) -> Response:
        result = await self._service.embed_npy(body, EmbedOptions(model=request.model))
        return await render(AnswerForm(accept=request.accept), result)
