"""The embedding service without HTTP: it selects the model, makes tiles of the input and keeps requests within
limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import numpy as np
from gandl_shared.clients.wire import ModelInfo, Pool, from_npy
from gandl_shared.errors import Full, Unavailable
from gandl_shared.imaging import IntensityLimits
from gandl_shared.models import ModelCard
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from gandl_embedding.batching import Batcher, BatchOptions
from gandl_embedding.catalog import Catalog
from gandl_embedding.inputs import (
    RequestLimits,
    Tiles,
    Upload,
    explicit_limits,
    mean_per_image,
    tiles_of_array,
    tiles_of_uploads,
)
from gandl_embedding.metrics import RunMetrics
from gandl_embedding.settings import MIB, Settings

_log = logging.getLogger("gandl.embedding")

MakeTiles = Callable[[ModelCard, IntensityLimits | None, RequestLimits], Tiles]


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """The options of a request: the model, the rows of the answer, and intensity limits per channel."""

    model: str | None = None
    pool: Pool = Pool.TILES
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    allow_clipping: bool = False


@dataclass(frozen=True, kw_only=True)
class EmbedResult:
    """The vectors of a request, float32: one row per tile or per image, as `pool` says."""

    card: ModelCard
    model_id: str
    pool: Pool
    tiles: Tiles
    vectors: NDArray[np.float32]


class EmbeddingService:
    """All models of a folder, each behind its queue. Use it inside `running()`."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self.settings = settings
        self._catalog: Catalog | None = None
        self._batchers: dict[str, Batcher] = {}
        self._not_ready: str | None = "the models are not loaded yet"
        self._reserved_bytes = 0
        self._decoders = asyncio.Semaphore(settings.decoders)
        self._metrics = RunMetrics(registry, self._waiting)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the models, warm them up in the background, and finish the waiting requests at the end.

        A model that cannot be loaded stops the start.
        """
        self._catalog = await asyncio.to_thread(Catalog.load, self.settings)
        async with AsyncExitStack() as stack:
            for name, engine in self._catalog.engines.items():
                options = self._batch_options(self.settings.batch_tiles or engine.batch)
                batcher = Batcher(engine, options, self._metrics.observer(name))
                self._batchers[name] = await stack.enter_async_context(batcher)
            self._not_ready = "the models are warming up"
            # The warm-up runs in the background, so that /health/live answers from the start.
            warm_up = asyncio.create_task(self._warm_up(self._catalog))
            yield
            # A stop during the warm-up must not close a session that still runs.
            await asyncio.wait([warm_up])
            self._not_ready = "the service is draining"

    def ready(self) -> str | None:
        """Return None once every model has run, otherwise the reason why the service is not ready."""
        return self._not_ready

    def models(self) -> tuple[ModelInfo, ...]:
        """Return all models by file name. Raises Unavailable before the start."""
        catalog = self._loaded()
        return tuple(catalog.info(name) for name in catalog.engines)

    def model(self, name: str) -> ModelInfo:
        """Return one model. Raises NotFound, Unavailable."""
        return self._loaded().info(name)

    async def embed_uploads(self, uploads: Sequence[Upload], options: EmbedOptions) -> EmbedResult:
        """Return the vectors of uploaded image files. Raises what `inputs` and `batching` raise."""
        return await self._embed(options, lambda *context: tiles_of_uploads(uploads, *context))

    async def embed_npy(self, body: bytes, options: EmbedOptions) -> EmbedResult:
        """Return the vectors of a `.npy` body. Raises Malformed, and what `inputs` and `batching` raise."""
        return await self._embed(options, lambda *context: tiles_of_array(from_npy(body), *context))

    @contextmanager
    def reserve(self, n_bytes: int) -> Iterator[None]:
        """Reserve memory for a body while it is read and processed. Raises Full."""
        # A single body is always accepted, so that a small total limit cannot block the service for good.
        if self._reserved_bytes and self._reserved_bytes + n_bytes > self.settings.bodies_mib * MIB:
            raise Full(f"requests of {self._reserved_bytes} bytes are being processed; try again")
        self._reserved_bytes += n_bytes
        try:
            yield
        finally:
            self._reserved_bytes -= n_bytes

    async def _embed(self, options: EmbedOptions, make_tiles: MakeTiles) -> EmbedResult:
        if self._not_ready:
            raise Unavailable(self._not_ready)
        engine = self._loaded().get(options.model)
        card = engine.card
        limits = explicit_limits(options.low, options.high, card)
        request_limits = RequestLimits(
            max_pixels=self.settings.request_pixels,
            max_tiles=self.settings.request_tiles,
            allow_clipping=options.allow_clipping,
        )
        # Decoding is limited, because each decoded image may need hundreds of megabytes.
        async with self._decoders:
            tiles = await asyncio.to_thread(make_tiles, card, limits, request_limits)
        vectors = await self._batchers[card.name].embed(tiles.tiles)
        if options.pool is Pool.MEAN:
            vectors = mean_per_image(vectors, tiles.counts)
        return EmbedResult(card=card, model_id=engine.model_id, pool=options.pool, tiles=tiles, vectors=vectors)

    async def _warm_up(self, catalog: Catalog) -> None:
        try:
            for engine in catalog.engines.values():
                await asyncio.to_thread(engine.warm_up)
        except Exception as error:
            # No request waits for this task, so the error goes to the log and to /health/ready.
            _log.exception("warm-up failed")
            self._not_ready = f"warm-up failed: {error}"
        else:
            self._not_ready = None

    def _loaded(self) -> Catalog:
        if self._catalog is None:
            raise Unavailable(self._not_ready or "the models are not loaded yet")
        return self._catalog

    def _batch_options(self, max_tiles: int) -> BatchOptions:
        return BatchOptions(
            max_tiles=max_tiles,
            max_waiting=self.settings.queue_tiles,
            fill_seconds=self.settings.batch_wait_ms / 1000,
            deadline_seconds=self.settings.deadline_s,
        )

    def _waiting(self) -> float:
        return float(sum(batcher.waiting for batcher in self._batchers.values()))
