"""The short way of plain requests to `POST /embed`: an `.npy` body, and no parameter but `model`.

The middleware, the router and the parsers of FastAPI take longer for such a request than all the rest, and most
requests are such. Everything else, and everything that is refused before its body is read, goes the ordinary way, which
the specification describes.
"""

from __future__ import annotations

import hmac
import re
import time
from functools import lru_cache
from typing import NamedTuple

from gandl_shared.clients.wire import NPY
from gandl_shared.schemas.headers import API_KEY, REQUEST_ID
from gandl_shared.web.errors import answer_to
from gandl_shared.web.request_ids import identity_of
from gandl_shared.web.requests.bodies import MAX_DIGITS, BodyLimit
from gandl_shared.web.requests.doorway import Doorway
from gandl_shared.web.requests.presence import CLIENT_GONE, while_present
from starlette.types import ASGIApp, Receive, Scope, Send

from gandl_embedding.api.answers import BYTES, Answer, AnswerForm, rendered
from gandl_embedding.service import EmbeddingService, EmbedOptions

PATH = "/embed"
_MEDIA = (NPY.encode(), BYTES.encode())
_KEY = API_KEY.lower().encode()
_IDENTITY = REQUEST_ID.lower().encode()
# Names with other characters are decoded the ordinary way.
_MODEL = re.compile(rb"model=([A-Za-z0-9._~-]+)")


class PlainRequest(NamedTuple):
    """A request of the short way: its id, its model, the bytes that it announces, and the form of its answer."""

    identity: str
    model: str | None
    length: int
    form: AnswerForm


class _Route(NamedTuple):
    """What a trace reads of the route of a request."""

    path: str


class DirectEmbedding:
    """A program that answers plain requests to `POST /embed`, and passes on all others."""

    def __init__(self, app: ASGIApp, doorway: Doorway, *, service: EmbeddingService, limit: BodyLimit) -> None:
        self._app, self._doorway, self._service, self._limit = app, doorway, service, limit
        key = service.settings.api_key
        self._key = key.get_secret_value().encode() if key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a plain request, or pass it on."""
        request = self._plain(scope)
        if request is None:
            await self._app(scope, receive, send)
            return
        # The span of a request is called by its route, which the router would note here.
        scope["route"] = _Route(PATH)
        # An answer that nobody gets because the server stops counts as a fault.
        status, start = 500, time.perf_counter()
        try:
            status, headers, body = await self._answer(request, receive)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        finally:
            self._doorway.counts.observe("POST", PATH, status, time.perf_counter() - start)

    def _plain(self, scope: Scope) -> PlainRequest | None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != scope.get("root_path", "") + PATH:
            return None
        query = scope["query_string"]
        named = _MODEL.fullmatch(query) if query else None
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        if (query and named is None) or headers.get(b"content-type") not in _MEDIA or b"content-encoding" in headers:
            return None
        # Which of two headers counts, and what a length of many digits is, the ordinary way decides.
        if len(headers) != len(scope["headers"]) or not length.isdigit() or len(length) > MAX_DIGITS:
            return None
        announced = int(length)
        if announced > self._limit.max_bytes or not self._has_key(headers.get(_KEY)):
            return None
        if self._doorway.hosts.refusal("POST", headers) is not None:
            return None
        model = named[1].decode() if named else None
        return PlainRequest(identity_of(headers), model, announced, _form(headers.get(b"accept")))

    def _has_key(self, key: bytes | None) -> bool:
        return self._key is None or (key is not None and hmac.compare_digest(key, self._key))

    async def _answer(self, request: PlainRequest, receive: Receive) -> Answer:
        try:
            self._service.check_room(request.model)
            with self._service.reservation(request.length) as reserve:
                body = await self._limit.read_from(receive, reserve)
                answer = await while_present(receive, self._embedded(request, body))
        except Exception as error:
            refusal = answer_to(error, request.identity)
            return Answer(refusal.status_code, refusal.raw_headers, bytes(refusal.body))
        if answer is None:
            return Answer(CLIENT_GONE, [], b"")
        answer.headers.append((_IDENTITY, request.identity.encode()))
        return answer

    async def _embedded(self, request: PlainRequest, body: bytes) -> Answer:
        return await rendered(request.form, await self._service.embed_npy(body, _options(request.model)))


# Requests name few models and have few headers Accept.
@lru_cache(maxsize=64)
def _options(model: str | None) -> EmbedOptions:
    return EmbedOptions(model=model)


@lru_cache(maxsize=64)
def _form(accept: bytes | None) -> AnswerForm:
    return AnswerForm(accept=None if accept is None else accept.decode("latin-1"))
