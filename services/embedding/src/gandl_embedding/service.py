"""The embedding service without HTTP: which model, which tiles, within which bounds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import numpy as np
from gandl_shared.clients.wire import ModelInfo, Pool, from_npy
from gandl_shared.errors import Full, TooLarge, Unavailable
from gandl_shared.imaging import IntensityLimits
from gandl_shared.models import ModelCard
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gandl_embedding.batching import Batcher, BatchOptions
from gandl_embedding.catalog import Catalog
from gandl_embedding.inputs import Bounds, Tiles, Upload, explicit_limits, pooled, tiles_of_array, tiles_of_uploads
from gandl_embedding.settings import MIB, Settings

_log = logging.getLogger("gandl.embedding")


@dataclass(frozen=True)
class Ask:
    """What a request asks for besides its images."""

    model: str | None = None
    pool: Pool = Pool.TILES
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Embedded:
    """The answer: `vectors` has a row a tile or an image, as `pool` says."""

    card: ModelCard
    model_id: str
    pool: Pool
    tiles: Tiles
    vectors: NDArray[np.float32]


class EmbeddingService:
    """All models of a folder behind their queues. Use inside `running()`."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self.settings = settings
        self._catalog: Catalog | None = None
        self._batchers: dict[str, Batcher] = {}
        self._why: str | None = "the models are not loaded yet"
        self._reading = 0
        self._decoders = asyncio.Semaphore(settings.decoders)
        self._metrics = _Metrics(registry, self._waiting)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the models (a broken one stops the start), warm them up behind the scenes, drain at the end."""
        self._catalog = await asyncio.to_thread(Catalog.load, self.settings)
        async with AsyncExitStack() as stack:
            for name, engine in self._catalog.engines.items():
                most = self.settings.batch_tiles or engine.batch
                batcher = Batcher(engine, self._options(most), self._metrics.of(name))
                self._batchers[name] = await stack.enter_async_context(batcher)
            self._why = "the models are warming up"
            warming = asyncio.create_task(self._warm_up(self._catalog))
            yield
            await asyncio.wait([warming])
            self._why = "the service is draining"

    def ready(self) -> str | None:
        """None once every model has run; else why not."""
        return self._why

    def models(self) -> tuple[ModelInfo, ...]:
        """All models, by file name. Raises Unavailable before the start."""
        catalog = self._loaded()
        return tuple(catalog.info(name) for name in catalog.engines)

    def model(self, name: str) -> ModelInfo:
        """One model. Raises NotFound, Unavailable."""
        return self._loaded().info(name)

    async def embed_uploads(self, uploads: Sequence[Upload], ask: Ask) -> Embedded:
        """Vectors of uploaded image files. Raises whatever `inputs` and `batching` raise."""
        return await self._embed(ask, lambda card, limits, bounds: tiles_of_uploads(uploads, card, limits, bounds))

    async def embed_npy(self, body: bytes, ask: Ask) -> Embedded:
        """Vectors of a `.npy` body. Raises Malformed besides."""
        return await self._embed(ask, lambda card, limits, bounds: tiles_of_array(from_npy(body), card, limits, bounds))

    @contextmanager
    def admitted(self, content_length: int | None) -> Iterator[int]:
        """Room for a body while it is read and worked on; gives the most bytes it may have.

        A body of unstated length counts with the most it may have. Raises TooLarge, Full.
        """
        most = self.settings.body_mib * MIB
        if content_length is not None and content_length > most:
            raise TooLarge(f"the body has {content_length} bytes; at most {most} are taken, send the images in several")
        claimed = most if content_length is None else content_length
        if self._reading and self._reading + claimed > self.settings.bodies_mib * MIB:
            raise Full(f"requests of {self._reading} bytes are being worked on; try again")
        self._reading += claimed
        try:
            yield most
        finally:
            self._reading -= claimed

    async def _embed(
        self, ask: Ask, tiles_of: Callable[[ModelCard, IntensityLimits | None, Bounds], Tiles]
    ) -> Embedded:
        if self._why:
            raise Unavailable(self._why)
        engine = self._loaded().get(ask.model)
        card = engine.card
        limits = explicit_limits(ask.low, ask.high, card)
        bounds = Bounds(self.settings.request_pixels, self.settings.request_tiles)
        async with self._decoders:
            tiles = await asyncio.to_thread(tiles_of, card, limits, bounds)
        vectors = await self._batchers[card.name].embed(tiles.tiles)
        if ask.pool is Pool.MEAN:
            vectors = pooled(vectors, tiles.counts)
        return Embedded(card, engine.model_id, ask.pool, tiles, vectors)

    async def _warm_up(self, catalog: Catalog) -> None:
        try:
            for engine in catalog.engines.values():
                await asyncio.to_thread(engine.warm_up)
        except Exception as error:  # no request waits for this task: say it where operators look, and stay not ready
            _log.exception("warm-up failed")
            self._why = f"warm-up failed: {error}"
        else:
            self._why = None

    def _loaded(self) -> Catalog:
        if self._catalog is None:
            raise Unavailable(self._why or "the models are not loaded yet")
        return self._catalog

    def _options(self, most: int) -> BatchOptions:
        settings = self.settings
        return BatchOptions(most, settings.queue_tiles, settings.batch_wait_ms / 1000, settings.deadline_s)

    def _waiting(self) -> float:
        return float(sum(batcher.waiting for batcher in self._batchers.values()))


class _Metrics:
    """Tiles, sizes and times of runs, by model; tiles waiting."""

    def __init__(self, registry: CollectorRegistry, waiting: Callable[[], float]) -> None:
        sizes = [2**i for i in range(11)]
        self._tiles = Counter("gandl_embedding_tiles", "Tiles embedded", ["model"], registry=registry)
        self._batch = Histogram(
            "gandl_embedding_batch_tiles", "Tiles of one run", ["model"], buckets=sizes, registry=registry
        )
        self._seconds = Histogram("gandl_embedding_run_seconds", "Seconds of one run", ["model"], registry=registry)
        Gauge("gandl_embedding_queue_tiles", "Tiles waiting", registry=registry).set_function(waiting)

    def of(self, model: str) -> Callable[[int, float], None]:
        """What a model's batcher tells of each run."""

        def observe(tiles: int, seconds: float) -> None:
            self._tiles.labels(model).inc(tiles)
            self._batch.labels(model).observe(tiles)
            self._seconds.labels(model).observe(seconds)

        return observe
