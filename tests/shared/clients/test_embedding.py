"""The typed client against the real service over real HTTP: an Embedder like the engine itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from gandl_embedding.engine import Engine
from gandl_shared.clients.embedding import EmbeddingClient
from gandl_shared.clients.http import Retry
from gandl_shared.clients.wire import MODEL_ID, NPY, NUMERICS, to_npy
from gandl_shared.errors import Conflict, GandlError, Invalid, NotFound, Unavailable
from gandl_shared.models import model_id


def tiles(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 2, 16, 16), dtype=np.uint8)


def test_it_is_the_engine_at_a_distance(server: str, models_dir: Path) -> None:
    engine = Engine.load(models_dir / "two.onnx", threads=1)
    with EmbeddingClient(server, batch=16) as client:
        assert (client.card, client.model_id) == (engine.card, engine.model_id)
        vectors, expected = client.embed(tiles(37)), engine.embed(tiles(37))
        assert client.embed(tiles(0)).shape == (0, 512)
    assert vectors.dtype == np.float32
    assert (np.linalg.norm(vectors - expected, axis=1) <= 1e-5 * np.linalg.norm(expected, axis=1)).all()


def test_a_model_is_chosen_by_name(server: str) -> None:
    with EmbeddingClient(server, model="five") as client:
        assert client.embed(np.zeros((2, 5, 32, 32), np.uint8)).shape == (2, 512)
        assert [info.name for info in client.models()] == ["five", "two"]
    with EmbeddingClient(server, model="six") as client, pytest.raises(NotFound, match="'six'"):
        client.embed(tiles(1))


@pytest.mark.parametrize("wrong", [np.zeros((1, 2, 16, 16), np.float32), np.zeros((1, 2, 64, 64), np.uint8)])
def test_what_the_service_would_take_for_raw_fields_is_refused(server: str, wrong: np.ndarray) -> None:
    with EmbeddingClient(server) as client, pytest.raises(Invalid, match="takes uint8 tiles"):
        client.embed(wrong)


def test_nobody_there_is_unavailable() -> None:
    retry = Retry(attempts=2, first_wait=0.01)
    with EmbeddingClient("http://127.0.0.1:9", retry=retry) as client, pytest.raises(Unavailable, match="127.0.0.1:9"):
        client.embed(tiles(1))


def changed(server: str, vectors: np.ndarray, identity: str | None, numerics: str | None = None) -> EmbeddingClient:
    """A client of a service that lists its models truly but answers /embed with these vectors of that model."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/embed":
            return httpx.get(f"{server}{request.url.path}")
        headers = {MODEL_ID: identity} if identity else {}
        headers |= {NUMERICS: numerics} if numerics else {}
        return httpx.Response(200, content=to_npy(vectors), headers={"Content-Type": NPY, **headers})

    return EmbeddingClient("http://changed", transport=httpx.MockTransport(handle))


def test_vectors_of_another_model_are_not_taken(server: str) -> None:
    for identity in ("f" * 64, None):
        with changed(server, np.zeros((1, 512), np.float32), identity) as client, pytest.raises(Conflict, match="two"):
            client.embed(tiles(1))


def test_vectors_of_another_device_or_precision_are_not_taken(server: str, models_dir: Path) -> None:
    identity = model_id(models_dir / "two.onnx")
    vectors = np.zeros((1, 512), np.float32)
    for code in ("cuda.float32.a.b.1", "openvino.bfloat16.a.b.1"):
        with changed(server, vectors, identity, code) as client, pytest.raises(Conflict, match=r"stated cpu\.float32"):
            client.embed(tiles(1))
    with changed(server, vectors, identity, "cpu.float32.other.b.1") as client:
        client.embed(tiles(1))
        assert client.numerics.device == "other"
        client.forget()
        assert client.numerics == Engine.load(models_dir / "two.onnx").numerics


def test_an_answer_of_another_shape_is_not_taken(server: str, models_dir: Path) -> None:
    client = changed(server, np.zeros((2, 512), np.float32), model_id(models_dir / "two.onnx"))
    with client, pytest.raises(GandlError, match=r"\[2, 512\]"):
        client.embed(tiles(1))


def test_clients_at_the_same_time_get_their_own_vectors(server: str, models_dir: Path) -> None:
    """Eight clients whose tiles share runs of the model."""
    engine = Engine.load(models_dir / "two.onnx", threads=1)
    requests = [np.random.default_rng(i).integers(0, 256, (3 + i, 2, 16, 16), dtype=np.uint8) for i in range(8)]

    def ask(images: np.ndarray) -> np.ndarray:
        with EmbeddingClient(server, batch=4) as client:
            return client.embed(images)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, requests))
    for images, vectors in zip(requests, answers, strict=True):
        expected = engine.embed(images)
        assert (np.linalg.norm(vectors - expected, axis=1) <= 1e-5 * np.linalg.norm(expected, axis=1)).all()
