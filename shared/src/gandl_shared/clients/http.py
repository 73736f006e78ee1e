"""HTTP for every client of a gandl service: typed errors from ErrorBody, and retries that respect Retry-After."""

from __future__ import annotations

import json
import logging
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Self

import httpx
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from gandl_shared.errors import (
    BadInput,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    Full,
    GandlError,
    Invalid,
    Malformed,
    NotFound,
    Problem,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedType,
)
from gandl_shared.files.traces import span, with_trace
from gandl_shared.schemas.headers import API_KEY
from gandl_shared.schemas.screen import ErrorBody

CONNECT_SECONDS = 5.0

_log = logging.getLogger("gandl.client")
_BY_STATUS: Mapping[int, type[GandlError]] = {502: Unavailable} | {
    kind.status: kind
    for kind in (
        Malformed,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        TooLarge,
        UnsupportedType,
        Invalid,
        Full,
        Unavailable,
        DeadlineExceeded,
    )
}


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often and how long to wait before a request is repeated that may succeed later (exponential backoff).

    The wait doubles from `first_wait` to `max_wait` seconds. A server's Retry-After is respected, up to `max_wait`.
    """

    attempts: int = 6
    first_wait: float = 0.2
    max_wait: float = 20.0

    # `draw` is an argument, so that tests need no random numbers.
    def wait(self, attempt: int, retry_after: float | None, draw: float) -> float:
        """Return the seconds between attempt `attempt` (counted from 1) and the next; `draw` is uniform on [0, 1)."""
        # The wait is drawn from the upper half of its range, so that clients refused together do not return together.
        backoff = min(self.max_wait, self.first_wait * 2.0 ** (attempt - 1)) * (0.5 + draw / 2)
        return min(self.max_wait, max(backoff, retry_after or 0.0))


@cache
def _tls() -> ssl.SSLContext:
    """Return what every client of this process checks certificates by. To read the authorities takes 60 ms."""
    return httpx.create_ssl_context()


@dataclass(kw_only=True)
class HttpClient:
    """The connection to one service. Closing it closes all its TCP connections."""

    base_url: str
    api_key: str | None = None
    timeout: float = 60.0
    retry: Retry = field(default_factory=Retry)
    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        headers = {API_KEY: self.api_key} if self.api_key else {}
        # An answer may take as long as the service works, but a missing service should be reported soon.
        timeout = httpx.Timeout(self.timeout, connect=min(CONNECT_SECONDS, self.timeout))
        self._http = httpx.Client(
            base_url=self.base_url, headers=headers, timeout=timeout, transport=self.transport, verify=_tls()
        )
        self._random = random.Random()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        repeatable: bool = True,
    ) -> httpx.Response:
        """Send a request and return its answer if it is 2xx; otherwise raise the error of the tree that it means.

        After 429, 503 and a failed connection the request is tried again. After a lost answer it is tried again only if
        it is `repeatable`, that is if sending it twice has the same effect as once. Raises Unavailable or
        DeadlineExceeded if no answer arrives.
        """
        with span(f"{method} {path}", kind=SpanKind.CLIENT):
            request = self._http.build_request(
                method, path, params=dict(params or {}), headers=with_trace(headers or {}), content=content
            )
            return self._send(request, repeatable=repeatable)

    def _send(self, request: httpx.Request, *, repeatable: bool) -> httpx.Response:
        method, path = request.method, request.url.path
        for attempt in range(1, self.retry.attempts + 1):
            outcome = self._attempt(request)
            if isinstance(outcome, httpx.Response):
                return outcome
            if attempt == self.retry.attempts or not (outcome.harmless or (repeatable and outcome.transient)):
                raise outcome.error
            seconds = self.retry.wait(attempt, outcome.retry_after, self._random.random())
            _log.info("%s %s: %s; again in %.1f s", method, path, outcome.error.detail, seconds)
            self.sleep(seconds)
        raise ValueError("Retry.attempts must be at least 1")

    def _attempt(self, request: httpx.Request) -> httpx.Response | _Failure:
        url = self.base_url
        try:
            response = self._http.send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            # There was no connection, so the service cannot have received the request.
            return _Failure(Unavailable(f"{url} does not answer: {error}"), harmless=True)
        except httpx.TimeoutException:
            # The service may still work on the request, and a second one would only add to its load.
            return _Failure(DeadlineExceeded(f"{url} did not answer within {self.timeout:g} s"))
        except httpx.TransportError as error:
            detail = f"the connection to {url} broke: {error or type(error).__name__}"
            return _Failure(Unavailable(detail), transient=True)
        # Redirects are not followed: a service never sends one, and a body must not go elsewhere.
        if response.is_success:
            return response
        # A service that answers 429 or 503 has done nothing; a gateway answers 502 for a replica that went away.
        return _Failure(
            error_of(response),
            harmless=response.status_code in (Full.status, Unavailable.status),
            transient=response.status_code == httpx.codes.BAD_GATEWAY,
            retry_after=_retry_after(response),
        )


@dataclass(frozen=True)
class _Failure:
    """A failed attempt. `harmless`: the service has certainly done nothing. `transient`: it may succeed later."""

    error: GandlError
    harmless: bool = False
    transient: bool = False
    retry_after: float | None = None


def error_of(response: httpx.Response) -> GandlError:
    """Return the error that an answer means: the class that its body names, otherwise the class of its status."""
    # The name in the body is more exact than the status, which several classes share.
    status, body = response.status_code, _error_body(response)
    detail = body.detail if body else f"{response.request.method} {response.request.url} answered {status}"
    if status == Full.status:
        return Full(detail, retry_after=_retry_after(response) or 1.0)
    problems = [Problem(**problem.model_dump()) for problem in body.problems] if body else []
    fallback = BadInput if response.is_client_error else GandlError
    kind = _error_class(body.error if body else None, status) or _BY_STATUS.get(status, fallback)
    return kind(detail, problems=problems)


def _error_body(response: httpx.Response) -> ErrorBody | None:
    """Return the body as ErrorBody, or None if it has another form, as from a proxy."""
    try:
        return ErrorBody.model_validate(json.loads(response.content))
    except (ValueError, ValidationError):
        return None


def _error_class(name: str | None, status: int) -> type[GandlError] | None:
    """Return the class of the tree with that name and status, or None."""
    return next((kind for kind in _tree(GandlError) if kind.__name__ == name and kind.status == status), None)


def _tree(kind: type[GandlError]) -> Iterator[type[GandlError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _retry_after(response: httpx.Response) -> float | None:
    """Return Retry-After in seconds. Its other form, a date, is not used between our services."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None
