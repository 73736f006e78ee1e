"""Clients that are silent, that leave, or that wait while the service stops, over real HTTP."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from gandl_embedding.engine import Engine
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import NPY, to_npy
from gandl_shared.testing import wait_until

from tests.embedding.fixtures.service import ready_server

TILES = to_npy(np.random.default_rng(0).integers(0, 256, (4, 2, 16, 16), dtype=np.uint8))
HEADERS = {"Content-Type": NPY}


@pytest.fixture
def slow_server(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service whose model takes a quarter of a second for four tiles, one request at a time."""
    embed = Engine.embed

    def embed_slowly(engine: Engine, tiles: np.ndarray) -> np.ndarray:
        time.sleep(0.25)
        return embed(engine, tiles)

    settings = Settings(
        models_dir=models_dir, default_model="two", threads=1, batch_tiles=4, bodies_mib=64, queue_s=1.2
    )
    with ready_server(settings) as url:
        monkeypatch.setattr(Engine, "embed", embed_slowly)
        yield url


def post(url: str, timeout: float = 20.0) -> int:
    return httpx.post(f"{url}/embed", content=TILES, headers=HEADERS, timeout=timeout).status_code


def waiting(url: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith("gandl_embedding_queue_tiles ")).split()[1])


def test_silent_connections_turn_nobody_away(slow_server: str) -> None:
    parts = urlsplit(slow_server)
    assert parts.hostname is not None
    with ExitStack() as connections:
        for _ in range(6):
            silent = connections.enter_context(socket.create_connection((parts.hostname, parts.port or 80)))
            head = f"POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NPY}\r\nContent-Length: {2**26}\r\n\r\n"
            silent.sendall(head.encode())
        time.sleep(0.1)
        assert post(slow_server) == 200


def test_the_work_of_clients_that_leave_is_dropped(slow_server: str) -> None:
    post(slow_server)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(post, slow_server)
        time.sleep(0.05)
        others = [pool.submit(post, slow_server, 0.1) for _ in range(3)]
        for other in others:
            with pytest.raises(httpx.ReadTimeout):
                other.result()
        # All of them have left before the first is answered, so nothing waits any more.
        wait_until(lambda: waiting(slow_server) == 0, what="an empty queue", every=0.01, seconds=1)
        assert first.result() == 200


def test_a_queue_has_so_many_seconds_and_all_that_is_accepted_is_answered(
    slow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(slow_server)
    embed, all_have_come = Engine.embed, Event()

    def embed_later(engine: Engine, tiles: np.ndarray) -> np.ndarray:
        all_have_come.wait(20)
        return embed(engine, tiles)

    monkeypatch.setattr(Engine, "embed", embed_later)
    with ThreadPoolExecutor(12) as pool:
        tasks = [pool.submit(post, slow_server) for _ in range(12)]
        # One is computed; what ends before it is refused.
        wait_until(lambda: sum(task.done() for task in tasks) + waiting(slow_server) / 4 >= 11, what="all requests")
        all_have_come.set()
        statuses = [task.result() for task in tasks]
    assert set(statuses) == {200, 429}
    # A second and a fifth of work is at most five requests, fewer on a busy machine, besides the one that runs.
    assert 2 <= statuses.count(200) <= 6


def test_what_is_accepted_before_the_stop_is_answered(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embed = Engine.embed

    everyone_waits = Event()

    def embed_slowly(engine: Engine, tiles: np.ndarray) -> np.ndarray:
        everyone_waits.wait(20)
        time.sleep(0.1)
        return embed(engine, tiles)

    settings = Settings(models_dir=models_dir, default_model="two", threads=1, batch_tiles=4)
    with ThreadPoolExecutor(6) as pool:
        with ready_server(settings) as url:
            monkeypatch.setattr(Engine, "embed", embed_slowly)
            tasks = [pool.submit(post, url) for _ in range(6)]
            # One of them is computed. A connection that the server has not accepted yet would be reset by its stop.
            wait_until(lambda: waiting(url) >= 20, what="a queue of five", every=0.005)
            everyone_waits.set()
        # The end of the block stops the server in order, as SIGTERM does.
        assert [task.result() for task in tasks] == [200] * 6
