"""A model that is served: its engine, its queue, its metrics, and the requests that use it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

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


class ServedModel:
    """An engine behind its queue. Requests hold it by `used()`, and `retire` waits for them."""

    def __init__(self, engine: Engine, batcher: Batcher, observe: Callable[[Mapping[str, float]], None]) -> None:
        self.engine = engine
        self.batcher = batcher
        self.observe = observe
        self._requests = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def used(self) -> Iterator[ServedModel]:
        """Hold the model for a request, so that its queue stays open until the end of the block."""
        self._requests += 1
        self._idle.clear()
        try:
            yield self
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def start(self) -> None:
        """Open the queue."""
        await self.batcher.__aenter__()

    async def retire(self) -> None:
        """Close the queue after the requests that use it have ended."""
        await self._idle.wait()
        await self.batcher.__aexit__()
