"""Plain requests, which go past the router, get what the ordinary way gives, byte for byte, and its refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from gandl_embedding.service import EmbeddingService
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import CLIPPED, MODEL_ID, NPY, SERVER_TIMING, to_npy
from httpx import Response
from pydantic import SecretStr

from tests.embedding.fixtures.service import ready_client

TILES = to_npy(np.random.default_rng(2000).integers(0, 256, (3, 2, 16, 16), dtype=np.uint8))
FIELDS = to_npy(np.random.default_rng(2001).integers(0, 260, (2, 2, 72, 72)).astype(np.uint16))
# A parameter that changes nothing sends a request the ordinary way.
ORDINARY = {"pool": "tiles"}


def both(client: TestClient, body: bytes, **headers: str) -> tuple[Response, Response]:
    headers = {"Content-Type": NPY, "X-Request-ID": "one", **headers}
    plain = client.post("/embed", content=body, headers=headers)
    return plain, client.post("/embed", content=body, headers=headers, params=ORDINARY)


@pytest.mark.parametrize("accept", ["application/json", NPY, "*/*;q=0.1, application/octet-stream"])
@pytest.mark.parametrize("body", [TILES, FIELDS])
def test_both_ways_give_the_same_answer(client: TestClient, body: bytes, accept: str) -> None:
    plain, ordinary = both(client, body, Accept=accept)
    assert plain.status_code == 200
    assert plain.content == ordinary.content
    for name in ("content-type", MODEL_ID, CLIPPED, "X-Request-ID"):
        assert plain.headers.get(name) == ordinary.headers.get(name)
    assert SERVER_TIMING in plain.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"no array", 400), (TILES[:-1], 400), (to_npy(np.zeros((1, 3, 16, 16), np.uint8)), 422)],
)
def test_both_ways_refuse_alike(client: TestClient, body: bytes, status: int) -> None:
    plain, ordinary = both(client, body)
    assert (plain.status_code, plain.json()) == (status, ordinary.json())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Content-Type", NPY), ("Content-Type", "text/plain")], 400),
        ([("Content-Type", NPY), ("X-API-Key", "a"), ("X-API-Key", "b")], 400),
        ([("Content-Type", NPY), ("Accept", NPY), ("Accept", "application/json")], 200),
        ([("Content-Type", NPY), ("Content-Encoding", "gzip")], 415),
        ([("Content-Type", NPY), ("Content-Length", "0" * 5000)], 400),
        ([("Content-Type", NPY), ("Origin", "http://[::1")], 403),
    ],
)
def test_both_ways_read_headers_alike(client: TestClient, headers: list[tuple[str, str]], status: int) -> None:
    headers = [*headers, ("X-Request-ID", "one")]
    plain, ordinary = (client.post("/embed", content=TILES, headers=headers, params=p) for p in (None, ORDINARY))
    assert (plain.status_code, plain.content) == (status, ordinary.content)
    assert plain.headers["Content-Type"] == ordinary.headers["Content-Type"]


def test_a_model_is_named_and_a_wrong_name_is_not_served(client: TestClient, models_dir: Path) -> None:
    answer = client.post("/embed?model=two", content=TILES, headers={"Content-Type": NPY})
    assert answer.status_code == 200
    absent = client.post("/embed?model=none", content=TILES, headers={"Content-Type": NPY})
    assert (absent.status_code, absent.json()["error"]) == (404, "NotFound")
    escaped = client.post("/embed?model=%74wo", content=TILES, headers={"Content-Type": NPY})
    assert escaped.content == answer.content


def test_the_key_and_the_size_are_asked_for(models_dir: Path) -> None:
    settings = Settings(models_dir=models_dir, default_model="two", threads=1, api_key=SecretStr("right"), body_mib=1)
    with ready_client(settings) as client:
        for key, status in (("right", 200), ("wrong", 401), ("", 401)):
            answer = client.post("/embed", content=TILES, headers={"Content-Type": NPY, "X-API-Key": key})
            assert answer.status_code == status
        large = client.post("/embed", content=b"0" * (2**20 + 1), headers={"Content-Type": NPY, "X-API-Key": "right"})
        assert large.status_code == 413


def test_other_sites_and_names_are_refused_and_a_fault_is_an_answer(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for headers in ({"Origin": "https://elsewhere.org"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "elsewhere.org"}):
        plain, ordinary = both(client, TILES, **headers)
        assert (plain.status_code, plain.json()) == (403, ordinary.json())

    async def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(EmbeddingService, "embed_npy", fail)
    plain, ordinary = both(client, TILES)
    assert (plain.status_code, plain.json()) == (500, ordinary.json())
    assert plain.json()["request_id"] == plain.headers["X-Request-ID"] == "one"


def answers(client: TestClient) -> float:
    lines = client.get("/metrics").text.splitlines()
    series = 'gandl_http_requests_total{method="POST",route="/embed",status="200"} '
    return sum(float(line.removeprefix(series)) for line in lines if line.startswith(series))


def test_metrics_call_both_ways_by_the_same_route(client: TestClient) -> None:
    before = answers(client)
    both(client, TILES)
    assert answers(client) - before == 2
    assert 'gandl_embedding_stage_seconds_count{model="two",stage="compute"}' in client.get("/metrics").text
