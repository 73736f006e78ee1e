"""A folder of models that changes while it is served: requests under way end on their model, and later ones are new."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from gandl_embedding.engine import Engine
from gandl_embedding.inputs import Decoders
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import MODEL_ID, NPY, from_npy, to_npy
from gandl_shared.models import model_id
from gandl_shared.testing import PATIENCE, wait_until
from httpx import Response

from tests.embedding.fixtures.service import ready_client
from tests.embedding.fixtures.tiny_model import tiny_card, tiny_graph, write_model

TILES = np.random.default_rng(2200).integers(0, 256, (3, 2, 16, 16), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sends files, so no process for them has to start."""

    async def warm_up(_: Decoders) -> None:
        return None

    monkeypatch.setattr(Decoders, "warm_up", warm_up)


def write(folder: Path, seed: int) -> str:
    path = folder / "two.onnx"
    write_model(path, tiny_graph(seed=seed), tiny_card("two"))
    return model_id(path)


def embedded(client: TestClient) -> Response:
    headers = {"Content-Type": NPY, "Accept": NPY}
    answer = client.post("/embed", params={"model": "two"}, content=to_npy(TILES), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_request_under_way_ends_on_the_model_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(tmp_path, 1)
    expected = Engine.load(tmp_path / "two.onnx", threads=1).embed(TILES)
    with ready_client(Settings(models_dir=tmp_path, threads=1, reload_s=0)) as client, ThreadPoolExecutor(2) as pool:
        gate, begun = threading.Event(), threading.Event()
        embed = Engine.embed

        def gated(self: Engine, tiles: np.ndarray) -> np.ndarray:
            # The warm-up and the measure of the new model are not held back.
            if self.model_id == first:
                begun.set()
                assert gate.wait(PATIENCE)
            return embed(self, tiles)

        monkeypatch.setattr(Engine, "embed", gated)
        early = pool.submit(embedded, client)
        assert begun.wait(PATIENCE)
        second = write(tmp_path, 2)
        reload = pool.submit(client.post, "/models/reload")
        wait_until(lambda: client.get("/models/two").json()["id"] == second, what="the new model")
        late = embedded(client)
        gate.set()
        assert early.result().headers[MODEL_ID] == first
        assert np.array_equal(from_npy(early.result().content), expected)
        assert reload.result().json()["models"][0]["id"] == second
        assert late.headers[MODEL_ID] == second
        assert not np.array_equal(from_npy(late.content), expected)


def test_a_changed_folder_is_noticed_and_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    first = write(tmp_path, 1)
    with ready_client(Settings(models_dir=tmp_path, threads=1, reload_s=0.02)) as client:
        (tmp_path / "two.onnx").write_bytes(b"broken")
        refused = client.post("/models/reload")
        assert (refused.status_code, refused.json()["error"]) == (422, "InvalidModel")
        assert embedded(client).headers[MODEL_ID] == first
        second = write(tmp_path, 2)
        wait_until(lambda: embedded(client).headers[MODEL_ID] == second, what="the new model")


def test_the_same_tiles_are_not_embedded_twice(tmp_path: Path) -> None:
    write(tmp_path, 1)
    with ready_client(Settings(models_dir=tmp_path, threads=1, cache_mib=1)) as client:
        first = embedded(client)
        runs = [line for line in client.get("/metrics").text.splitlines() if "run_seconds_count" in line]
        assert embedded(client).content == first.content
        text = client.get("/metrics").text
        assert [line for line in text.splitlines() if "run_seconds_count" in line] == runs
        for outcome in ("hit", "miss"):
            assert f'gandl_embedding_cache_requests_total{{outcome="{outcome}"}} 1.0' in text
