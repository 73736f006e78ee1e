"""The service without HTTP: when it is ready, how much memory requests may reserve, and what an answer holds."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from gandl_embedding.engine import Engine
from gandl_embedding.service import EmbeddingService, EmbedOptions
from gandl_embedding.settings import MIB, Settings
from gandl_shared.clients.wire import Pool, to_npy
from gandl_shared.errors import Full, Invalid, NotFound, Unavailable
from prometheus_client import CollectorRegistry

from tests.embedding.fixtures.tiny_model import scored_model, tiny_model

TILES = np.random.default_rng(0).integers(0, 256, (3, 2, 16, 16), dtype=np.uint8)


def service_of(models_dir: Path, **fields: object) -> EmbeddingService:
    settings = Settings.model_validate({"models_dir": models_dir, "default_model": "two", "threads": 1, **fields})
    return EmbeddingService(settings, CollectorRegistry())


def run(service: EmbeddingService, work: Callable[[EmbeddingService], Awaitable[None]]) -> None:
    """Do `work` with a service that is past its warm-up."""

    async def main() -> None:
        async with service.running():
            while service.ready() is not None:
                await asyncio.sleep(0.001)
            await work(service)

    asyncio.run(asyncio.wait_for(main(), 20))


def test_a_service_says_why_it_is_not_ready(models_dir: Path) -> None:
    service = service_of(models_dir)
    assert service.ready() == "the models are not loaded yet"
    with pytest.raises(Unavailable, match="not loaded yet"):
        service.models()

    async def work(service: EmbeddingService) -> None:
        assert [info.name for info in service.models()] == ["five", "two"]

    run(service, work)
    assert service.ready() == "the service is draining"


def test_a_failed_warm_up_is_reported_and_not_hidden(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Engine) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(Engine, "warm_up", fail)
    service = service_of(models_dir)

    async def main() -> None:
        async with service.running():
            while service.ready() == "the models are warming up":
                await asyncio.sleep(0.001)
            assert service.ready() == "warm-up failed: no room"
            with pytest.raises(Unavailable, match="warm-up failed"):
                await service.embed_npy(to_npy(TILES), EmbedOptions())

    asyncio.run(asyncio.wait_for(main(), 20))


def test_an_answer_has_the_vectors_of_the_engine_and_their_means(models_dir: Path) -> None:
    expected = Engine.load(models_dir / "two.onnx", threads=1).embed(TILES)

    async def work(service: EmbeddingService) -> None:
        result = await service.embed_npy(to_npy(TILES), EmbedOptions())
        assert (result.card.name, result.pool, result.tiles.counts) == ("two", Pool.TILES, (1, 1, 1))
        np.testing.assert_allclose(result.vectors, expected, rtol=1e-5, atol=1e-6)
        means = await service.embed_npy(to_npy(TILES), EmbedOptions(pool=Pool.MEAN))
        np.testing.assert_allclose(means.vectors, expected, rtol=1e-5, atol=1e-6)
        with pytest.raises(NotFound, match="'six'"):
            await service.embed_npy(to_npy(TILES), EmbedOptions(model="six"))

    run(service_of(models_dir), work)


def test_bodies_together_are_limited_but_one_alone_is_always_accepted(models_dir: Path) -> None:
    service = service_of(models_dir, bodies_mib=1)
    with service.reservation(5 * MIB) as first:
        first(5 * MIB)
        with pytest.raises(Full, match="5242880 bytes"), service.reservation(1):
            pass
    with service.reservation(0) as first, service.reservation(0) as second:
        first(MIB // 2)
        second(MIB // 2)
        with pytest.raises(Full):
            second(1)
    with service.reservation(MIB):
        pass


def test_what_is_only_announced_takes_no_room(models_dir: Path) -> None:
    """Silent connections that declare large bodies turn nobody away."""
    service = service_of(models_dir, bodies_mib=1)
    with service.reservation(MIB), service.reservation(MIB), service.reservation(MIB) as reserve:
        reserve(MIB)


def test_novelty_is_told_where_it_is_asked_for_and_the_model_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "measure_batch", lambda engine: engine.batch)
    folder = tmp_path / "models"
    folder.mkdir()
    scored_model(folder / "scored.onnx")
    tiny_model(folder / "two.onnx")
    tiles = np.random.default_rng(3).integers(0, 256, (5, 2, 16, 16), dtype=np.uint8)

    async def work(service: EmbeddingService) -> None:
        # Runs of two tiles: the rows of a request come from several of them.
        for pool in Pool:
            options = EmbedOptions(model="scored", pool=pool, novelty=True)
            result = await service.embed_array(tiles, options)
            assert result.vectors.shape == (5, 512)
            np.testing.assert_array_equal(result.novelty, result.vectors[:, 0])
        assert (await service.embed_array(tiles, EmbedOptions(model="scored"))).novelty is None
        with pytest.raises(Invalid, match="model two has no novelty score; leave novelty out"):
            await service.embed_array(tiles, EmbedOptions(model="two", novelty=True))

    run(service_of(folder, batch_tiles=2, cache_mib=1), work)


def test_measured_batches_are_kept_in_a_folder_of_their_own(models_dir: Path, tmp_path: Path) -> None:
    # Other tests measure in the folder that all of them share.
    models = shutil.copytree(models_dir, tmp_path / "models", ignore=shutil.ignore_patterns("*.json"))
    batches = tmp_path / "batches"
    batches.mkdir()

    async def nothing(_: EmbeddingService) -> None:
        pass

    run(service_of(models, batches_dir=batches), nothing)
    assert sorted(path.name for path in batches.iterdir()) == ["five.batches.json", "two.batches.json"]
    assert not list(models.glob("*.json"))
