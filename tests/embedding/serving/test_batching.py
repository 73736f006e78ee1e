"""The queue in front of a model: every request its own vectors, within bounds, whatever shares its batch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path

import numpy as np
import pytest
from gandl_embedding.engine import Engine
from gandl_embedding.serving.batching import Batcher, BatchOptions
from gandl_shared.errors import DeadlineExceeded, Full, Unavailable
from gandl_shared.models import ModelCard
from gandl_shared.testing import PATIENCE
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedding.fixtures.tiny_model import tiny_card

FEATURES = 3


class Gated:
    """An embedder whose vectors are the tile's first pixel, which notes its runs and waits until it is let through."""

    def __init__(self, card: ModelCard, *, open_: bool = True) -> None:
        self.card = card.model_copy(update={"features": FEATURES})
        self.model_id = "0"
        self.gate = threading.Event()
        self.runs: list[int] = []
        self.started = 0
        self.fail: Exception | None = None
        self.most = 1000
        if open_:
            self.gate.set()

    def first_run(self, count: int) -> int:
        return min(count, self.most)

    def embed(self, tiles: np.ndarray) -> np.ndarray:
        self.started += 1
        assert self.gate.wait(PATIENCE)
        self.runs.append(len(tiles))
        if self.fail:
            raise self.fail
        return np.repeat(tiles[:, 0, 0, :1], FEATURES, axis=1).astype(np.float32)


def tiles(values: list[int]) -> np.ndarray:
    return np.broadcast_to(np.array(values, np.uint8)[:, None, None, None], (len(values), 2, 16, 16))


def values(vectors: np.ndarray) -> list[int]:
    return [int(v) for v in vectors[:, 0]]


@pytest.fixture
def gated() -> Callable[..., Gated]:
    return lambda **options: Gated(tiny_card(), **options)


def run(work: Coroutine[object, object, object]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


@settings(max_examples=40, deadline=None)
@given(
    requests=st.lists(st.lists(st.integers(0, 255), max_size=9), min_size=1, max_size=12),
    max_tiles=st.integers(1, 8),
)
def test_every_request_gets_its_own_vectors_in_order(requests: list[list[int]], max_tiles: int) -> None:
    """Whatever the sizes of requests and batches; runs are full but for the last ones."""
    card = ModelCard.model_construct(features=FEATURES)
    model = Gated(card)

    async def work() -> None:
        async with Batcher(model, BatchOptions(max_tiles=max_tiles, max_waiting=1000, fill_seconds=0.001)) as batcher:
            answers = await asyncio.gather(*(batcher.embed(tiles(request)) for request in requests))
        assert [values(answer) for answer in answers] == requests

    run(work())
    total = sum(map(len, requests))
    assert sum(model.runs) == total
    assert len(model.runs) == -(-total // max_tiles)


def test_a_run_takes_what_the_device_computes_at_once_and_the_rest_waits_for_others(
    gated: Callable[..., Gated],
) -> None:
    model = gated(open_=False)
    model.most = 4

    async def work() -> None:
        async with Batcher(model, BatchOptions(max_tiles=8, max_waiting=100)) as batcher:
            requests = [asyncio.create_task(batcher.embed(tiles([i] * 3))) for i in range(2)]
            await until(lambda: model.started == 1)
            requests.append(asyncio.create_task(batcher.embed(tiles([2] * 2))))
            await until(lambda: batcher.waiting == 4)
            model.gate.set()
            assert [values(answer) for answer in await asyncio.gather(*requests)] == [[0] * 3, [1] * 3, [2] * 2]

    run(work())
    assert model.runs == [4, 4]


def test_requests_share_a_run(gated: Callable[..., Gated]) -> None:
    model = gated()

    async def work() -> None:
        async with Batcher(model, BatchOptions(max_tiles=8, max_waiting=100, fill_seconds=0.5)) as batcher:
            await asyncio.gather(*(batcher.embed(tiles([i, i])) for i in range(4)))

    run(work())
    assert model.runs == [8]


def test_a_run_can_be_enlarged(gated: Callable[..., Gated]) -> None:
    model = gated(open_=False)

    async def work() -> None:
        async with Batcher(model, BatchOptions(max_tiles=2, max_waiting=100)) as batcher:
            batcher.enlarge(1)
            first = asyncio.create_task(batcher.embed(tiles([1])))
            await until(lambda: model.started == 1)
            batcher.enlarge(6)
            second = asyncio.create_task(batcher.embed(tiles([2] * 7)))
            await until(lambda: batcher.waiting == 7)
            model.gate.set()
            await asyncio.gather(first, second)

    run(work())
    assert model.runs == [1, 6, 1]


def test_a_lone_request_does_not_wait_for_others_for_long(gated: Callable[..., Gated]) -> None:
    model = gated()

    async def work() -> None:
        async with (
            Batcher(model, BatchOptions(max_tiles=8, max_waiting=100, fill_seconds=0.01)) as batcher,
            asyncio.timeout(5),
        ):
            assert values(await batcher.embed(tiles([7]))) == [7]

    run(work())


def test_a_vector_is_the_same_alone_mixed_and_cut(model_file: Path) -> None:
    """With a real session: 1e-5 relative, for requests that share runs and are cut by them."""
    engine = Engine.load(model_file, threads=1)
    images = np.random.default_rng(0).integers(0, 256, (23, 2, 16, 16), dtype=np.uint8)
    alone = np.concatenate([engine.embed(image[None]) for image in images])

    async def work() -> None:
        async with Batcher(engine, BatchOptions(max_tiles=5, max_waiting=100)) as batcher:
            parts = await asyncio.gather(
                batcher.embed(images[:3]), batcher.embed(images[3:4]), batcher.embed(images[4:])
            )
        mixed = np.concatenate(parts)
        assert (np.linalg.norm(mixed - alone, axis=1) / np.linalg.norm(alone, axis=1)).max() <= 1e-5

    run(work())


def test_a_full_queue_refuses_and_says_when_to_come_back(gated: Callable[..., Gated]) -> None:
    model = gated(open_=False)

    async def work() -> None:
        async with Batcher(model, BatchOptions(max_tiles=2, max_waiting=6, fill_seconds=0)) as batcher:
            first = asyncio.create_task(batcher.embed(tiles([1, 2])))
            await until(lambda: model.started == 1)
            second = asyncio.create_task(batcher.embed(tiles([3, 4, 5, 6, 7])))
            await until(lambda: batcher.waiting == 5)
            with pytest.raises(Full, match="5 tiles wait, 2 more exceed the queue of 6") as caught:
                await batcher.embed(tiles([8, 9]))
            assert caught.value.retry_after > 0
            third = asyncio.create_task(batcher.embed(tiles([8])))
            await asyncio.sleep(0)
            model.gate.set()
            assert [values(await task) for task in (first, second, third)] == [[1, 2], [3, 4, 5, 6, 7], [8]]

    run(work())


def test_one_request_longer_than_the_queue_is_served_when_nothing_waits(gated: Callable[..., Gated]) -> None:
    async def work() -> None:
        async with Batcher(gated(), BatchOptions(max_tiles=2, max_waiting=3)) as batcher:
            assert len(await batcher.embed(tiles(list(range(9))))) == 9

    run(work())


def test_after_the_deadline_the_rest_is_not_run(gated: Callable[..., Gated]) -> None:
    model = gated(open_=False)

    async def work() -> None:
        async with Batcher(
            model, BatchOptions(max_tiles=2, max_waiting=100, fill_seconds=0, deadline_seconds=0.05)
        ) as batcher:
            with pytest.raises(DeadlineExceeded, match="6 tiles were not embedded within 0.05 s"):
                await batcher.embed(tiles([1] * 6))
            assert batcher.waiting == 0
            model.gate.set()

    run(work())
    assert model.runs == [2]


def test_a_client_that_goes_away_leaves_the_queue(gated: Callable[..., Gated]) -> None:
    model = gated(open_=False)

    async def work() -> None:
        async with Batcher(model, BatchOptions(max_tiles=2, max_waiting=100, fill_seconds=0)) as batcher:
            cancelled_request = asyncio.create_task(batcher.embed(tiles([1] * 6)))
            await until(lambda: batcher.waiting == 4)
            later_request = asyncio.create_task(batcher.embed(tiles([5])))
            cancelled_request.cancel()
            await until(lambda: batcher.waiting == 1)
            model.gate.set()
            assert values(await later_request) == [5]

    run(work())
    assert model.runs == [2, 1]


def test_a_failed_run_fails_its_requests_and_no_other(gated: Callable[..., Gated]) -> None:
    model = gated()

    async def work() -> None:
        async with Batcher(model, BatchOptions(max_tiles=2, max_waiting=100, fill_seconds=0)) as batcher:
            model.fail = RuntimeError("no memory")
            with pytest.raises(RuntimeError, match="no memory"):
                await batcher.embed(tiles([1] * 5))
            model.fail = None
            assert values(await batcher.embed(tiles([4, 5, 6]))) == [4, 5, 6]

    run(work())
    assert model.runs == [2, 2, 1]


def test_draining_ends_what_waits_and_refuses_what_comes(gated: Callable[..., Gated]) -> None:
    model = gated(open_=False)

    async def work() -> None:
        batcher = Batcher(model, BatchOptions(max_tiles=2, max_waiting=100, fill_seconds=0))
        with pytest.raises(Unavailable, match="not started"):
            await batcher.embed(tiles([1]))
        async with batcher:
            waiting = asyncio.create_task(batcher.embed(tiles([1, 2, 3, 4, 5])))
            await until(lambda: batcher.waiting == 3)
            leaving = asyncio.create_task(batcher.__aexit__())
            await asyncio.sleep(0)
            with pytest.raises(Unavailable, match="draining"):
                await batcher.embed(tiles([1]))
            model.gate.set()
            assert values(await waiting) == [1, 2, 3, 4, 5]
            await leaving

    run(work())
