"""One write for the head and the body of a small answer, at once for a long one, and nothing lost at the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
from gandl_embedding.serving.gathered import MAX_BYTES, GatheredWrites
from gandl_shared.testing import PATIENCE
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.embedding.fixtures.service import Loop, http_server

CHUNKS = 200


class Recorded:
    """A transport that notes its writes."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def writelines(self, parts: list[bytes]) -> None:
        assert not self.is_closed
        self.writes.append(b"".join(parts))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def _run_on(main: Callable[[GatheredWrites], Coroutine[None, None, None]], transport: Recorded) -> None:
    async def run() -> None:
        await main(GatheredWrites(transport))

    asyncio.run(run())


async def echoed(request: Request) -> Response:
    return Response(await request.body())


async def streamed(_: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(CHUNKS):
            yield b"%06d" % number * 1000

    return StreamingResponse(chunks())


def test_head_and_body_of_one_turn_are_one_write() -> None:
    async def main(gathered: GatheredWrites) -> None:
        gathered.write(b"head")
        gathered.write(b"body")
        assert not transport.writes
        await asyncio.sleep(0)
        gathered.write(b"next")
        await asyncio.sleep(0)

    transport = Recorded()
    _run_on(main, transport)
    assert transport.writes == [b"headbody", b"next"]


def test_many_bytes_are_written_at_once() -> None:
    async def main(gathered: GatheredWrites) -> None:
        gathered.write(b"head")
        gathered.write(bytes(MAX_BYTES))
        assert len(transport.writes) == 1
        await asyncio.sleep(0)

    transport = Recorded()
    _run_on(main, transport)
    assert transport.writes == [b"head" + bytes(MAX_BYTES)]


def test_what_was_written_goes_out_before_the_end() -> None:
    async def main(gathered: GatheredWrites) -> None:
        gathered.write(b"last words")
        gathered.close()
        assert gathered.is_closing()

    transport = Recorded()
    _run_on(main, transport)
    assert transport.writes == [b"last words"]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_answers_as_without_it(loop: Loop) -> None:
    """Two requests at once on one connection, a long answer in parts, and an answer after which the connection ends."""
    pytest.importorskip(loop)
    app = Starlette(routes=[Route("/echo", echoed, methods=["POST"]), Route("/parts", streamed)])
    with http_server(app, loop=loop) as url:
        answer = _long_answer(int(url.rpartition(":")[2]))
    assert all(b"%06d" % number * 1000 in answer for number in range(CHUNKS))
    assert answer.endswith(b"0\r\n\r\n")


def _long_answer(port: int) -> bytes:
    """The long answer, after two short ones on the same connection."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        stream = client.makefile("rb")
        post = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
        client.sendall(post + b"first" + post + b"later")
        for expected in (b"first", b"later"):
            assert stream.readline().startswith(b"HTTP/1.1 200")
            while stream.readline().strip():
                pass
            assert stream.read(5) == expected
        client.sendall(b"GET /parts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return stream.read()
