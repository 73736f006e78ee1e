"""Parameters by FastAPI and by the short way mean the same."""

from __future__ import annotations

import numpy as np
from fastapi.testclient import TestClient
from gandl_embedding.api.query import EmbedQuery
from gandl_shared.clients.wire import NPY, to_npy

TILES = to_npy(np.random.default_rng(5).integers(0, 256, (3, 2, 16, 16), dtype=np.uint8))


def test_the_options_are_those_of_the_query() -> None:
    options = EmbedQuery(model="two", low=[1.0, 2.0]).options
    assert (options.model, options.low, options.high, options.allow_clipping) == ("two", (1.0, 2.0), (), False)


def test_both_ways_answer_alike(client: TestClient) -> None:
    headers = {"Content-Type": NPY}
    short = client.post("/embed", content=TILES, headers=headers)
    named = client.post("/embed?model=two", content=TILES, headers=headers)
    long = client.post("/embed?model=two&pool=tiles", content=TILES, headers=headers)
    assert short.json() == named.json() == long.json()
    for query, status in (("model=none", 404), ("model=two&model=two", 200), ("wrong=1", 422), ("pool=x", 422)):
        assert client.post(f"/embed?{query}", content=TILES, headers=headers).status_code == status
