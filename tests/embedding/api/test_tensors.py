"""Tensors of the Open Inference Protocol in JSON and in bytes, and what is no tensor."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from gandl_embedding.api.tensors import tensor_of_request
from gandl_shared.errors import Malformed

TILES = np.random.default_rng(5).integers(0, 256, (3, 2, 16, 16), dtype=np.uint8)


def tensor(array: np.ndarray = TILES, **changes: Any) -> dict[str, Any]:
    values = {"name": "images", "shape": list(array.shape), "datatype": "UINT8", "data": array.ravel().tolist()}
    return {"id": "42", "inputs": [{**values, **changes}]}


def in_bytes(array: np.ndarray, datatype: str, size: object = None, **others: Any) -> tuple[bytes, str]:
    values = {"name": "images", "shape": list(array.shape), "datatype": datatype}
    values["parameters"] = {"binary_data_size": array.nbytes if size is None else size}
    head = json.dumps({"inputs": [values], **others}).encode()
    return head + array.tobytes(), str(len(head))


@pytest.mark.parametrize("data", [TILES.tolist(), TILES.ravel().tolist(), TILES.reshape(3, -1).tolist()])
def test_numbers_may_be_nested(data: list[Any]) -> None:
    request = tensor_of_request(json.dumps(tensor(data=data)).encode())
    assert (request.identity, request.array.dtype, request.binary) == ("42", np.uint8, False)
    np.testing.assert_array_equal(request.array, TILES)


@pytest.mark.parametrize(("dtype", "name"), [("<u1", "UINT8"), ("<u2", "UINT16"), ("<f4", "FP32")])
def test_numbers_may_be_bytes(dtype: str, name: str) -> None:
    array = TILES.astype(dtype)
    request = tensor_of_request(*in_bytes(array, name))
    assert request.array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(request.array, array)
    assert tensor_of_request(*in_bytes(array[:0], name)).array.shape == (0, 2, 16, 16)


@pytest.mark.parametrize(
    ("others", "binary"),
    [
        ({"parameters": {"binary_data_output": True}}, True),
        ({"outputs": [{"name": "embedding", "parameters": {"binary_data": True}}]}, True),
        ({"outputs": [{"name": "embedding"}], "parameters": {"binary_data_output": True}}, True),
        (
            {
                "outputs": [{"name": "embedding", "parameters": {"binary_data": False}}],
                "parameters": {"binary_data_output": True},
            },
            False,
        ),
        ({"outputs": []}, False),
    ],
)
def test_the_answer_is_bytes_where_the_request_asks_for_them(others: dict[str, Any], binary: bool) -> None:
    assert tensor_of_request(json.dumps({**tensor(), **others}).encode()).binary is binary


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"{", "not JSON.*Inference-Header-Content-Length"),
        (b"[" * 5000, "not JSON"),
        (b"[]", "a JSON object"),
        ({"inputs": []}, "one tensor"),
        ({"inputs": [1]}, "one tensor"),
        (tensor(name="x"), "must be 'images'; it is 'x'"),
        (tensor(datatype="INT64"), "UINT8, UINT16, FP32"),
        (tensor(datatype=["UINT8"]), "UINT8, UINT16, FP32"),
        (tensor(shape=[1]), "has 1536 numbers, and the shape"),
        (tensor(shape=[-1]), "list of lengths"),
        (tensor(shape=[True]), "list of lengths"),
        (tensor(shape=[1] * 9), "list of lengths"),
        (tensor(shape=[0, 2**62, 2**62], data=[]), "no array can have"),
        (tensor(shape=[0, 2**63], data=[]), "no array can have"),
        (tensor(data=[300] * 1536), "from 300 to 300"),
        (tensor(data=[2**64 - 1] * 1536), "and the type from 0 to 255"),
        (tensor(data=[1.5] * 1536), "fractions, and the tensor is of uint8"),
        (tensor(data=["a"] * 1536), "it holds str"),
        (tensor(data=[1] * 1535 + ["a"]), "it holds str"),
        (tensor(data=[True] * 1536), "it holds bool"),
        (tensor(data=None), "list of numbers"),
        (tensor(data=[[1], [1, 2]]), "different lengths"),
        (tensor(data=[[[1, 2]], [[1]]]), "different lengths"),
        (tensor(data=[[1], 1]), "different lengths"),
        (tensor(data=[[[[[[[[[[1]]]]]]]]]]), "it holds list"),
        ({**tensor(), "id": 7}, "must be a text"),
        (tensor(parameters=[]), "must be a JSON object"),
        (tensor(parameters={"binary_data_size": 1536}), "0 bytes follow"),
        ({**tensor(), "outputs": [{"name": "x"}]}, "must be 'embedding'; it is 'x'"),
        ({**tensor(), "outputs": [{"name": "embedding", "parameters": {"classification": 3}}]}, "no classes"),
        ({**tensor(), "parameters": {"binary_data_output": 1}}, "true or false"),
    ],
)
def test_what_is_no_tensor_is_malformed(request_: Any, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        tensor_of_request(request_ if isinstance(request_, bytes) else json.dumps(request_).encode())


@pytest.mark.parametrize("size", [0, 1535, -1, "1536", True, 1536.0, 2**70])
def test_bytes_must_be_as_many_as_stated(size: object) -> None:
    with pytest.raises(Malformed, match="1536 bytes follow"):
        tensor_of_request(*in_bytes(TILES, "UINT8", size))


@pytest.mark.parametrize("length", ["", "-1", "+5", "1e3", "x", "99999", "9" * 5000, "\u0663"])
def test_the_length_of_the_head_lies_in_the_body(length: str) -> None:
    with pytest.raises(Malformed, match="Inference-Header-Content-Length is"):
        tensor_of_request(in_bytes(TILES, "UINT8")[0], length)


def test_bytes_of_another_length_than_the_shape_or_type() -> None:
    body, length = in_bytes(TILES, "UINT8")
    with pytest.raises(Malformed, match="not JSON"):
        tensor_of_request(body, str(int(length) - 1))
    with pytest.raises(Malformed, match="has 384 numbers, and the shape"):
        tensor_of_request(*in_bytes(TILES, "FP32"))
    with pytest.raises(Malformed, match="no whole number of float32"):
        tensor_of_request(*in_bytes(TILES.ravel()[:7], "FP32"))
    head = json.dumps(tensor()).encode()
    with pytest.raises(Malformed, match="no `binary_data_size`"):
        tensor_of_request(head + b"123", str(len(head)))
