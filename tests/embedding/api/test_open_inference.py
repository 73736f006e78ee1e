"""The Open Inference Protocol gives the vectors of `/embed`, and refuses what is no tensor."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from gandl_embedding.api.open_inference import tensor_of_request
from gandl_shared.clients.wire import NPY, to_npy
from gandl_shared.errors import Malformed

TILES = np.random.default_rng(5).integers(0, 256, (3, 2, 16, 16), dtype=np.uint8)


def tensor(array: np.ndarray = TILES, **changes: Any) -> dict[str, Any]:
    values = {"name": "images", "shape": list(array.shape), "datatype": "UINT8", "data": array.ravel().tolist()}
    return {"id": "42", "inputs": [{**values, **changes}]}


def test_vectors_are_those_of_embed(client: TestClient) -> None:
    expected = client.post("/embed", content=to_npy(TILES), headers={"Content-Type": NPY}).json()
    for request in (tensor(), tensor(data=TILES.tolist())):
        answer = client.post("/v2/models/two/infer", json=request).json()
        (output,) = answer["outputs"]
        assert (answer["id"], answer["model_version"]) == ("42", expected["model_id"])
        assert (output["name"], output["datatype"], output["shape"]) == ("embedding", "FP32", [3, 512])
        assert output["data"] == [number for row in expected["vectors"] for number in row]


def test_metadata_and_health(client: TestClient) -> None:
    (images,) = client.get("/v2/models/two").json()["inputs"]
    assert images == {"name": "images", "datatype": "UINT8", "shape": [-1, 2, 16, 16]}
    for path in ("", "/health/live", "/health/ready", "/models/two/ready"):
        assert client.get(f"/v2{path}").status_code == 200
    assert client.get("/v2/models/six").status_code == client.post("/v2/models/six/infer", json={}).status_code == 404


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"{", "not JSON"),
        (b"[]", "one tensor"),
        ({"inputs": []}, "one tensor"),
        (tensor(name="x"), "must be 'images'"),
        (tensor(datatype="INT64"), "UINT8, UINT16, FP32"),
        (tensor(shape=[1]), "has 1536 numbers, and the shape"),
        (tensor(shape=[-1]), "list of lengths"),
        (tensor(shape=[True]), "list of lengths"),
        (tensor(data=[300] * 1536), "from 300 to 300"),
        (tensor(data=[1.5] * 1536), "float64, and the tensor is of uint8"),
        (tensor(data=["a"] * 1536), "and the tensor is of uint8"),
        (tensor(data=[[1], [1, 2]]), "no tensor"),
        ({**tensor(), "id": 7}, "must be a text"),
    ],
)
def test_what_is_no_tensor_is_malformed(request_: Any, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        tensor_of_request(request_ if isinstance(request_, bytes) else json.dumps(request_).encode())
