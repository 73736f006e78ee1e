"""A model that is served: its engine, its queue, its metrics, and the requests that use it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gandl_embedding.engine import Engine
from gandl_embedding.serving.batching import Batcher


class WithNovelty:
    """An engine as its queue runs it: a row is a vector, followed by its novelty."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.card, self.model_id, self.numerics = engine.card, engine.model_id, engine.numerics

    def embed(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the rows [N, features + 1] of tiles [N, C, size, size]."""
        return self._engine.rows(tiles)

    def first_run(self, count: int) -> int:
        """Return how many of `count` tiles the device computes at once."""
        return self._engine.first_run(count)


class ServedModel:
    """An engine behind its queue. A request holds it by `with`, and `retire` waits until no request does."""

    def __init__(self, engine: Engine, batcher: Batcher, observe: Callable[[Mapping[str, float]], None]) -> None:
        self.engine = engine
        self.batcher = batcher
        self.observe = observe
        self._numerics: dict[int, str] = {}
        self._requests = 0
        self._idle: asyncio.Event | None = None

    def __enter__(self) -> ServedModel:
        self._requests += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._requests -= 1
        if self._idle is not None and not self._requests:
            self._idle.set()

    @property
    def numerics(self) -> str:
        """The code of how vectors are computed now. Every answer has it, and describing the device takes a while."""
        batch = self.engine.batch
        if batch not in self._numerics:
            self._numerics[batch] = self.engine.numerics.code
        return self._numerics[batch]

    async def start(self) -> None:
        """Open the queue."""
        await self.batcher.__aenter__()

    async def retire(self) -> None:
        """Close the queue after the requests that use it have ended."""
        if self._requests:
            self._idle = asyncio.Event()
            await self._idle.wait()
        await self.batcher.__aexit__()
