"""The embedding service without HTTP: it selects the model, makes tiles of the input and keeps requests within
limits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from gandl_shared.clients.wire import Array, ModelInfo, Pool, ServiceLimits, from_npy
from gandl_shared.errors import GandlError, Invalid, Unavailable
from gandl_shared.models import ModelCard
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from gandl_embedding.catalog import Catalog, folder_stamp
from gandl_embedding.engine import Engine
from gandl_embedding.inputs import (
    DecoderLimits,
    Decoders,
    RequestLimits,
    Tiles,
    Upload,
    explicit_limits,
    holds_tiles,
    mean_per_image,
    ready_tiles,
    tiles_of_array,
)
from gandl_embedding.metrics import RunMetrics
from gandl_embedding.serving.batching import Batcher, BatchOptions, Timing
from gandl_embedding.serving.bodies import BodyMemory, Reservation
from gandl_embedding.serving.cache import VectorCache, key_of
from gandl_embedding.serving.device_batches import choose_batch
from gandl_embedding.serving.served_model import ServedModel, WithNovelty
from gandl_embedding.settings import MIB, Settings

_log = logging.getLogger("gandl.embedding")
_DRAINING = "the service is draining"


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """The options of a request: the model, the rows of the answer, intensity limits per channel, the names of the
    channels in the order in which they are sent, whether an image that cannot be used fails the others, and
    whether the novelty of the rows is asked for."""

    model: str | None = None
    pool: Pool = Pool.TILES
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    allow_clipping: bool = False
    keep_going: bool = False
    channels: tuple[str, ...] = ()
    novelty: bool = False


class EmbedResult(NamedTuple):
    """The vectors of a request, float32: one row per tile or per image, as `pool` says.

    `numerics` is the code of how they were computed. `stages` are the seconds of decode, queue and compute.
    """

    card: ModelCard
    model_id: str
    numerics: str
    pool: Pool
    tiles: Tiles
    vectors: NDArray[np.float32]
    stages: Mapping[str, float] = MappingProxyType({})
    novelty: NDArray[np.float32] | None = None


class EmbeddingService:
    """All models of a folder, each behind its queue. Use it inside `running()`."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self.settings = settings
        self._catalog: Catalog | None = None
        self._models: dict[str, ServedModel] = {}
        self._reloads = asyncio.Lock()
        self._cache = VectorCache(settings.cache_mib * MIB)
        self._not_ready: str | None = "the models are not loaded yet"
        self._bodies = BodyMemory(settings.bodies_mib * MIB)
        self._decoders = Decoders(
            DecoderLimits(
                processes=settings.decoders,
                memory_mib=settings.decoder_mib,
                seconds=settings.decode_s,
                queue_seconds=settings.queue_s,
            )
        )
        # Fields of arrays are mapped in threads of this process, as many at a time as files are decoded.
        self._mappers = asyncio.Semaphore(settings.decoders)
        self._metrics = RunMetrics(registry, self._waiting)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the models, warm them up in the background, and finish the waiting requests at the end.

        A model that cannot be loaded stops the start.
        """
        self._catalog = await asyncio.to_thread(Catalog.load, self.settings)
        for name, engine in self._catalog.engines.items():
            self._models[name] = await self._started(name, engine)
        self._not_ready = "the models are warming up"
        # The warm-up runs in the background, so that /health/live answers from the start.
        warm_up = asyncio.create_task(self._warm_up())
        watch = asyncio.create_task(self._watch())
        yield
        watch.cancel()
        self._not_ready = _DRAINING
        # A warm-up that waits for the first process ends with the processes.
        await self._decoders.close()
        # A stop during the warm-up must not close a session that still runs.
        await asyncio.wait([warm_up, watch])
        for model in self._models.values():
            await model.retire()

    async def reload(self) -> tuple[ModelInfo, ...]:
        """Serve what the folder holds now, and return it. Requests under way end on the models that they began with.

        A model that cannot be loaded changes nothing. Raises Unavailable before the start, and what `Catalog.load`
        raises.
        """
        async with self._reloads:
            if self._not_ready:
                raise Unavailable(self._not_ready)
            catalog = await asyncio.to_thread(Catalog.load, self.settings, self._loaded())
            models = dict(self._models)
            for name, engine in catalog.engines.items():
                if name not in models or models[name].engine is not engine:
                    models[name] = await self._started(name, engine)
                    await self._prepare(models[name])
            models = {name: models[name] for name in catalog.engines}
            retired = [earlier for name, earlier in self._models.items() if models.get(name) is not earlier]
            self._catalog, self._models = catalog, models
        for earlier in retired:
            await earlier.retire()
        return self.models()

    def ready(self) -> str | None:
        """Return None once every model has run, otherwise the reason why the service is not ready."""
        return self._not_ready

    def models(self) -> tuple[ModelInfo, ...]:
        """Return all models by file name. Raises Unavailable before the start."""
        catalog = self._loaded()
        return tuple(self._info(catalog, name) for name in catalog.engines)

    def model(self, name: str) -> ModelInfo:
        """Return one model. Raises NotFound, Unavailable."""
        return self._info(self._loaded(), name)

    def check_room(self, model: str | None) -> None:
        """Raise what a request would raise that is sent now, so that it can be refused before its body is read.

        Raises NotFound, Unavailable, and Full if it would have to wait too long.
        """
        if self._not_ready:
            raise Unavailable(self._not_ready)
        self._decoders.check_room()
        self._model(model).batcher.check_room()

    async def embed_uploads(self, uploads: Sequence[Upload], options: EmbedOptions) -> EmbedResult:
        """Return the vectors of uploaded image files. Raises what `inputs` and `batching` raise."""
        start = time.perf_counter()
        with self._model(options.model) as model:
            limits = explicit_limits(options.low, options.high, model.engine.card)
            tiles = await self._decoders.tiles(uploads, model.engine.card, limits, self._request_limits(options))
            return await self._embed(model, tiles, options, time.perf_counter() - start)

    async def embed_npy(self, body: bytes, options: EmbedOptions) -> EmbedResult:
        """Return the vectors of a `.npy` body. Raises Malformed, and what `inputs` and `batching` raise."""
        return await self.embed_array(from_npy(body), options)

    async def embed_array(self, array: Array, options: EmbedOptions) -> EmbedResult:
        """Return the vectors of an array [N, C, H, W] of tiles or fields. Raises what `inputs` and `batching` raise."""
        start = time.perf_counter()
        with self._model(options.model) as model:
            card = model.engine.card
            # Most requests hold ready tiles and ask for nothing else.
            if not (options.low or options.high or options.channels):
                ready = ready_tiles(array, card, self.settings.request_tiles)
                if ready is not None:
                    return await self._embed(model, ready, options, time.perf_counter() - start)
            limits = explicit_limits(options.low, options.high, card)
            request_limits = self._request_limits(options)
            if holds_tiles(array, card, limits):
                # Ready tiles need no work, so they go on without a thread.
                tiles = tiles_of_array(array, card, limits, request_limits)
            else:
                async with self._mappers:
                    tiles = await asyncio.to_thread(tiles_of_array, array, card, limits, request_limits)
            return await self._embed(model, tiles, options, time.perf_counter() - start)

    def reservation(self, expected_bytes: int) -> Reservation:
        """Return what reserves memory for the bytes of a body while they arrive, until the end of its block.

        Raises Full if a body of `expected_bytes` has no room now, and later if the bytes that arrive have none.
        """
        return self._bodies.reservation(expected_bytes)

    def _model(self, name: str | None) -> ServedModel:
        if self._not_ready:
            raise Unavailable(self._not_ready)
        return self._models[self._loaded().get(name).card.name]

    def _request_limits(self, options: EmbedOptions) -> RequestLimits:
        return RequestLimits(
            max_pixels=self.settings.request_pixels,
            max_tiles=self.settings.request_tiles,
            allow_clipping=options.allow_clipping,
            keep_going=options.keep_going,
            channels=options.channels,
        )

    async def _embed(self, model: ServedModel, tiles: Tiles, options: EmbedOptions, decode: float) -> EmbedResult:
        engine = model.engine
        if options.novelty and engine.card.novelty is None:
            raise Invalid(
                f"model {engine.card.name} has no novelty score; leave novelty out, or export a network that was "
                "trained against a generator with `gandl export --novelty`"
            )
        if self._cache:
            rows, timing = await self._look_up_or_embed(model, tiles)
        else:
            rows, timing = await model.batcher.embed_timed(tiles.tiles)
        if options.pool is Pool.MEAN:
            rows = mean_per_image(rows, tiles.counts)
        vectors, novelty = rows, None
        if engine.card.novelty is not None:
            vectors, novelty = np.ascontiguousarray(rows[:, :-1]), rows[:, -1]
        stages = {"decode": decode, "queue": timing.queue, "compute": timing.compute}
        model.observe(stages)
        return EmbedResult(
            card=engine.card,
            model_id=engine.model_id,
            numerics=model.numerics,
            pool=options.pool,
            tiles=tiles,
            vectors=vectors,
            stages=stages,
            novelty=novelty if options.novelty else None,
        )

    async def _look_up_or_embed(self, model: ServedModel, tiles: Tiles) -> tuple[NDArray[np.float32], Timing]:
        """Return the vectors of tiles from the cache, or embed and keep them."""
        key = key_of(model.engine.model_id, model.numerics, tiles.tiles)
        vectors = self._cache.get(key)
        self._metrics.observe_cache(is_hit=vectors is not None)
        if vectors is not None:
            return vectors, Timing(queue=0, compute=0)
        vectors, timing = await model.batcher.embed_timed(tiles.tiles)
        self._cache.add(key, vectors)
        return vectors, timing

    async def _started(self, name: str, engine: Engine) -> ServedModel:
        options = self._batch_options(self.settings.batch_tiles or engine.batch)
        batcher = Batcher(WithNovelty(engine) if engine.card.novelty else engine, options, self._metrics.observer(name))
        model = ServedModel(engine, batcher, self._metrics.stages_observer(name))
        await model.start()
        return model

    async def _prepare(self, model: ServedModel) -> None:
        folder = self.settings.batches_dir or self.settings.models_dir
        batch = await asyncio.to_thread(choose_batch, model.engine, folder)
        # A run takes at least the default batch: the engine divides it, and tiles of one run share its start.
        if self.settings.batch_tiles is None:
            model.batcher.enlarge(batch)

    async def _warm_up(self) -> None:
        try:
            await self._decoders.warm_up()
            for model in self._models.values():
                await self._prepare(model)
            state = None
        except Exception as error:
            state = f"warm-up failed: {error}"
            # No request waits for this task, so the error goes to the log and to /health/ready.
            if self._not_ready != _DRAINING:
                _log.exception("warm-up failed")
        if self._not_ready != _DRAINING:
            self._not_ready = state

    async def _watch(self) -> None:
        """Load the folder again once it has changed and then stayed the same, so that no half-written file counts."""
        loaded = before = await asyncio.to_thread(folder_stamp, self.settings.models_dir)
        while self.settings.reload_s:
            await asyncio.sleep(self.settings.reload_s)
            now = await asyncio.to_thread(folder_stamp, self.settings.models_dir)
            if now != loaded and now == before and self._not_ready is None:
                loaded = now
                try:
                    await self.reload()
                except GandlError as error:
                    _log.error("the folder of models has changed, and is not loaded: %s", error.detail)
            before = now

    def _info(self, catalog: Catalog, name: str) -> ModelInfo:
        """Return a model with the limits that its requests have here."""
        info, settings = catalog.info(name), self.settings
        limits = ServiceLimits(
            body_bytes=settings.body_mib * MIB,
            files=settings.request_files,
            pixels=settings.request_pixels,
            tiles=settings.request_tiles,
            batch_tiles=settings.batch_tiles or catalog.get(name).batch,
            queue_seconds=settings.queue_s,
            deadline_seconds=settings.deadline_s,
        )
        return info.model_copy(update={"limits": limits})

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
            queue_seconds=self.settings.queue_s,
        )

    def _waiting(self) -> float:
        return float(sum(model.batcher.waiting for model in self._models.values()))
