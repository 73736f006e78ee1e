"""A body over the limit is refused, whether or not it states its length."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import repeat

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from gandl_shared.errors import Malformed, TooLarge, TooSlow
from gandl_shared.web.errors import add_error_handlers
from gandl_shared.web.requests.bodies import BodyLimit, bounded_route
from starlette.types import Message

LIMIT = BodyLimit(10, "send less")


@pytest.fixture
def bounded() -> TestClient:
    router = APIRouter(route_class=bounded_route(LIMIT))

    @router.post("/count")
    async def count(values: list[int]) -> int:
        return len(values)

    app = FastAPI()
    add_error_handlers(app)
    app.include_router(router)
    return TestClient(app)


def pieces(*parts: bytes) -> Iterator[bytes]:
    yield from parts


def test_a_body_at_the_limit_is_read(bounded: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    assert bounded.post("/count", content=b"[1,2,3]   ", headers=headers).json() == 3
    assert bounded.post("/count", content=pieces(b"[1,", b"2,3]"), headers=headers).json() == 3


def test_one_byte_more_is_refused_with_advice(bounded: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    stated = bounded.post("/count", content=b"[1,2,3]    ", headers=headers)
    streamed = bounded.post("/count", content=pieces(b"[1,2,", b"3]    "), headers=headers)
    for answer in (stated, streamed):
        assert (answer.status_code, answer.json()["error"]) == (413, "TooLarge")
        assert answer.json()["detail"].endswith("send less")
    assert "11 bytes" in stated.json()["detail"]


def request_of(length: str | None) -> Request:
    headers = [] if length is None else [(b"content-length", length.encode())]
    return Request({"type": "http", "headers": headers})


def test_the_stated_length() -> None:
    assert LIMIT.stated_length(request_of(None)) is None
    assert LIMIT.stated_length(request_of("10")) == 10
    with pytest.raises(TooLarge, match="11 bytes"):
        LIMIT.stated_length(request_of("11"))
    for text in ("-1", "x", "", "1.0", "0" * 5000):
        with pytest.raises(Malformed, match="Content-Length"):
            LIMIT.stated_length(request_of(text))


def test_a_compressed_body_is_refused(bounded: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for coding, status in (("gzip", 415), ("br, gzip", 415), ("identity", 200)):
        answer = bounded.post("/count", content=b"[1]", headers={**headers, "Content-Encoding": coding})
        assert answer.status_code == status


def test_a_body_that_pauses_or_trickles_is_refused() -> None:
    async def read(limit: BodyLimit, pauses: Iterator[float]) -> None:
        async def receive() -> Message:
            await asyncio.sleep(next(pauses))
            return {"type": "http.request", "body": b"1", "more_body": True}

        limited = limit.limit(receive)
        while True:
            await limited()

    silent = BodyLimit(100, "send less", pause_seconds=0.02)
    with pytest.raises(TooSlow, match="only 0 bytes"):
        asyncio.run(read(silent, iter([10.0])))
    trickling = BodyLimit(100, "send less", pause_seconds=0.05, min_rate=100.0)
    with pytest.raises(TooSlow, match=r"only \d bytes"):
        asyncio.run(read(trickling, repeat(0.02)))
