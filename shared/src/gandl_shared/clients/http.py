"""HTTP as every client of a gandl service speaks it: typed errors out of ErrorBody, retries that honour Retry-After."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import httpx
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
from gandl_shared.schemas.screen import ErrorBody

API_KEY = "X-API-Key"

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


@dataclass(frozen=True)
class Retry:
    """How often and how patiently to try again what may succeed later.

    The wait doubles from `first` to `longest` seconds, drawn evenly from its upper half so that clients refused
    together do not come back together; a server's Retry-After is waited out, up to `longest`.
    """

    attempts: int = 6
    first: float = 0.2
    longest: float = 20.0

    def wait(self, attempt: int, asked: float | None, draw: float) -> float:
        """Seconds before attempt number `attempt` + 1 (counted from 1); `draw` is uniform on [0, 1)."""
        backoff = min(self.longest, self.first * 2.0 ** (attempt - 1)) * (0.5 + draw / 2)
        return min(self.longest, max(backoff, asked or 0.0))


@dataclass
class HttpClient:
    """One service behind one address. Closing it closes its connections."""

    base_url: str
    api_key: str | None = None
    timeout: float = 60.0
    retry: Retry = field(default_factory=Retry)
    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        headers = {API_KEY: self.api_key} if self.api_key else {}
        # Reading may take as long as the service works; that nobody listens is known sooner.
        timeout = httpx.Timeout(self.timeout, connect=min(5.0, self.timeout))
        self._http = httpx.Client(base_url=self.base_url, headers=headers, timeout=timeout, transport=self.transport)
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
        """Send and return the answer if it is 2xx, else raise the error of the tree that it stands for.

        429, 503 and connections that do not come about are tried again; answers that were lost, only where the request
        is `repeatable` (asking twice does no more than asking once). Raises Unavailable or DeadlineExceeded where no
        answer came.
        """
        request = self._http.build_request(
            method, path, params=dict(params or {}), headers=dict(headers or {}), content=content
        )
        for attempt in range(1, self.retry.attempts + 1):
            outcome = self._once(request)
            if isinstance(outcome, httpx.Response):
                return outcome
            if attempt == self.retry.attempts or not (outcome.harmless or (repeatable and outcome.passing)):
                raise outcome.error
            seconds = self.retry.wait(attempt, outcome.asked, self._random.random())
            _log.info("%s %s: %s; again in %.1f s", method, path, outcome.error.detail, seconds)
            self.sleep(seconds)
        raise ValueError("Retry.attempts must be at least 1")

    def _once(self, request: httpx.Request) -> httpx.Response | _Failure:
        url = self.base_url
        try:
            response = self._http.send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return _Failure(Unavailable(f"{url} does not answer: {error}"), harmless=True)
        except httpx.TimeoutException:
            return _Failure(DeadlineExceeded(f"{url} did not answer within {self.timeout:g} s"))
        except httpx.TransportError as error:
            broken = f"the connection to {url} broke: {error or type(error).__name__}"
            return _Failure(Unavailable(broken), passing=True)
        if response.is_success:
            return response
        # A service that answers 429 or 503 did nothing; 502 is a gateway's word for a replica that went away.
        refused = response.status_code in (Full.status, Unavailable.status)
        return _Failure(error_of(response), refused, response.status_code == httpx.codes.BAD_GATEWAY, _asked(response))


@dataclass(frozen=True)
class _Failure:
    """A failed attempt: surely nothing was done (`harmless`), or it may succeed later (`passing`)."""

    error: GandlError
    harmless: bool = False
    passing: bool = False
    asked: float | None = None


def error_of(response: httpx.Response) -> GandlError:
    """The error that an answer stands for: the class its body names, else the class of its status."""
    status, body = response.status_code, _error_body(response)
    detail = body.detail if body else f"{response.request.method} {response.request.url} answered {status}"
    if status == Full.status:
        return Full(detail, retry_after=_asked(response) or 1.0)
    problems = [Problem(p.detail, file=p.file, row=p.row, field=p.field) for p in body.problems] if body else []
    fallback = BadInput if response.is_client_error else GandlError
    kind = _named(body.error if body else None, status) or _BY_STATUS.get(status, fallback)
    return kind(detail, problems=problems)


def _error_body(response: httpx.Response) -> ErrorBody | None:
    """None where something between (a proxy) answered in its own words."""
    try:
        return ErrorBody.model_validate(json.loads(response.content))
    except (ValueError, ValidationError):
        return None


def _named(name: str | None, status: int) -> type[GandlError] | None:
    """The class of the tree with that name and status; None where there is none."""
    return next((kind for kind in _tree(GandlError) if kind.__name__ == name and kind.status == status), None)


def _tree(kind: type[GandlError]) -> Iterator[type[GandlError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _asked(response: httpx.Response) -> float | None:
    """Retry-After in seconds; its form with a date is not used between our services."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None
