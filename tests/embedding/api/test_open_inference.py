"""The Open Inference Protocol gives the vectors of `/embed`, in JSON and in bytes, and says why it refuses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from gandl_shared.clients.wire import NPY, to_npy

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


def test_the_version_of_a_model_is_served_and_no_other(client: TestClient) -> None:
    metadata = client.get("/v2/models/two").json()
    (version,) = metadata["versions"]
    assert client.get(f"/v2/models/two/versions/{version}").json() == metadata
    assert client.get(f"/v2/models/two/versions/{version}/ready").json() == {"ready": True}
    named, unnamed = (
        client.post(f"/v2/models/two{path}/infer", json=tensor()).json() for path in (f"/versions/{version}", "")
    )
    assert named == unnamed
    for answer in (client.get("/v2/models/two/versions/1"), client.post("/v2/models/two/versions/1/infer", json={})):
        assert answer.status_code == 404
        assert f"two has no version '1'; it is served in version {version}" in answer.json()["error"]


def test_bytes_in_and_bytes_out(client: TestClient) -> None:
    expected = client.post("/v2/models/two/infer", json=tensor()).json()["outputs"][0]["data"]
    images = {"name": "images", "shape": list(TILES.shape), "datatype": "UINT8"}
    images["parameters"] = {"binary_data_size": TILES.nbytes}
    head = json.dumps({"id": "7", "inputs": [images], "parameters": {"binary_data_output": True}}).encode()
    answer = client.post(
        "/v2/models/two/infer",
        content=head + TILES.tobytes(),
        headers={"Inference-Header-Content-Length": str(len(head))},
    )
    length = int(answer.headers["Inference-Header-Content-Length"])
    described = json.loads(answer.content[:length])
    assert (described["id"], answer.headers["Content-Type"]) == ("7", "application/octet-stream")
    assert described["outputs"] == [
        {"name": "embedding", "datatype": "FP32", "shape": [3, 512], "parameters": {"binary_data_size": 3 * 512 * 4}}
    ]
    np.testing.assert_array_equal(np.frombuffer(answer.content[length:], "<f4"), np.float32(expected))


def test_errors_are_sentences_where_clients_of_the_protocol_look(client: TestClient) -> None:
    for answer, words in (
        (client.get("/v2/models/six"), "NotFound: there is no model 'six'"),
        (client.post("/v2/models/two/infer", content=b"x"), "Malformed: the body is not JSON"),
        (client.post("/v2/models/two/infer", content=b"x", headers={"Content-Encoding": "gzip"}), "compressed"),
        (client.post("/v2/models/two/infer", json=tensor(TILES[:, :1])), "Invalid: two takes"),
    ):
        assert words in answer.json()["error"]
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
