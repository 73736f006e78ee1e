"""The tensors of the Open Inference Protocol, in JSON or in bytes.

With the header `Inference-Header-Content-Length` the body is JSON of so many bytes and then the numbers of the tensor,
row by row and little-endian: the extension `binary_tensor_data`, which the clients of Triton use unless they are told
otherwise.
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson
from gandl_shared.errors import Malformed
from numpy.typing import NDArray

INPUT, OUTPUT = "images", "embedding"
HEAD_LENGTH = "Inference-Header-Content-Length"
"""The header with the length of the JSON before the numbers."""
TYPES: Mapping[str, type[np.generic]] = {"UINT8": np.uint8, "UINT16": np.uint16, "FP32": np.float32}
MAX_AXES = 8


@dataclass(frozen=True, kw_only=True)
class TensorRequest:
    """The id of a request, its array, and whether the answer has its numbers as bytes after the JSON."""

    identity: str | None
    array: NDArray[Any]  # one of TYPES
    binary: bool


def tensor_of_request(body: bytes, head_length: str | None = None) -> TensorRequest:
    """Return what a body asks for; `head_length` is the header with the length of its JSON. Raises Malformed."""
    end = _end_of_head(body, head_length)
    try:
        request = orjson.loads(memoryview(body)[:end])
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON: {error}; numbers as bytes need the header {HEAD_LENGTH}") from error
    if not isinstance(request, dict):
        raise Malformed(f"the body must be a JSON object with `inputs`, a list of one tensor, {INPUT!r}")
    identity = request.get("id")
    if identity is not None and not isinstance(identity, str):
        raise Malformed("`id` must be a text")
    tensor = _only(request.get("inputs"), "inputs", INPUT)
    array = _array(tensor, memoryview(body)[end:])
    return TensorRequest(identity=identity, array=array, binary=_is_binary(request))


def _end_of_head(body: bytes, head_length: str | None) -> int:
    if head_length is None:
        return len(body)
    is_number = head_length.isascii() and head_length.isdigit() and len(head_length) < len(str(2**63))
    if not is_number or int(head_length) > len(body):
        raise Malformed(f"{HEAD_LENGTH} is {head_length[:40]!r}; it must be at most the body's {len(body)} bytes")
    return int(head_length)


def _only(tensors: object, field: str, name: str) -> Mapping[str, Any]:  # Any: JSON
    if not isinstance(tensors, list) or len(tensors) != 1 or not isinstance(tensors[0], dict):
        raise Malformed(f"`{field}` must be a list of one tensor, {name!r}")
    if tensors[0].get("name") != name:
        raise Malformed(f"the tensor in `{field}` must be {name!r}; it is {str(tensors[0].get('name'))[:40]!r}")
    return tensors[0]


def _parameters(of: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: JSON
    parameters = of.get("parameters", {})
    if not isinstance(parameters, dict):
        raise Malformed("`parameters` must be a JSON object")
    return parameters


def _is_binary(request: Mapping[str, Any]) -> bool:  # Any: JSON
    """Return whether the answer has bytes: as the output says, or else the request for all outputs."""
    parameters = _parameters(request)
    is_binary = parameters.get("binary_data_output", False)
    if request.get("outputs"):
        own = _parameters(_only(request["outputs"], "outputs", OUTPUT))
        if own.get("classification"):
            raise Malformed("`classification` is not supported; this model has vectors and no classes")
        is_binary = own.get("binary_data", is_binary)
    if not isinstance(is_binary, bool):
        raise Malformed("`binary_data` and `binary_data_output` must be true or false")
    return is_binary


def _array(tensor: Mapping[str, Any], rest: memoryview) -> NDArray[Any]:  # Any: JSON, one of TYPES
    shape, kind = tensor.get("shape"), TYPES.get(str(tensor.get("datatype")))
    if kind is None:
        raise Malformed(f"the tensor {INPUT!r} must be of {', '.join(TYPES)}")
    if (
        not isinstance(shape, list)
        or len(shape) > MAX_AXES
        or any(type(length) is not int or length < 0 for length in shape)
    ):
        raise Malformed(f"`shape` must be a list of lengths, such as [1, 2, 64, 64]; it is {str(shape)[:100]}")
    size = _parameters(tensor).get("binary_data_size")
    if size is None and rest:
        raise Malformed(f"{len(rest)} bytes follow the JSON, and the tensor has no `binary_data_size`")
    numbers = _typed(_flat(tensor.get("data")), kind) if size is None else _from_bytes(rest, size, kind)
    if numbers.size != math.prod(shape):
        raise Malformed(f"the tensor has {numbers.size} numbers, and the shape {shape} has {math.prod(shape)}")
    try:
        return numbers.reshape(shape)
    except ValueError as error:
        # An axis of length zero beside others that are too long.
        raise Malformed(f"no array can have the shape {shape}: {error}") from error


def _from_bytes(rest: memoryview, size: object, kind: type[np.generic]) -> NDArray[Any]:  # Any: one of TYPES
    if type(size) is not int or size != len(rest):
        raise Malformed(f"`binary_data_size` is {str(size)[:40]}, and {len(rest)} bytes follow the JSON")
    dtype = np.dtype(kind)
    if size % dtype.itemsize:
        raise Malformed(f"`binary_data_size` is {size}, which is no whole number of {dtype.name}")
    little = dtype.newbyteorder("<")
    return (np.frombuffer(rest, little) if size else np.empty(0, little)).astype(dtype, copy=False)


def _flat(data: object) -> list[int | float]:
    """Return numbers that may be nested. Raises Malformed for what is no number.

    numpy would make texts of equal length of everything beside one long text, and so fill the memory.
    """
    if not isinstance(data, list):
        raise Malformed("`data` must be a list of numbers")
    numbers = data
    for _ in range(MAX_AXES):
        kinds = set(map(type, numbers))
        if list not in kinds:
            break
        if len(kinds) > 1 or len(set(map(len, numbers))) > 1:
            raise Malformed("`data` is no tensor: its lists have different lengths")
        numbers = list(chain.from_iterable(numbers))
    others = set(map(type, numbers)) - {int, float}
    if others:
        names = ", ".join(sorted(kind.__name__ for kind in others))
        raise Malformed(f"`data` must be a list of numbers, nested or not; it holds {names}")
    return numbers


def _typed(data: list[int | float], kind: type[np.generic]) -> NDArray[Any]:  # Any: one of TYPES
    """Return numbers in their type. Raises Malformed where one does not fit, since a silent cut would change images."""
    if not np.issubdtype(kind, np.integer):
        with np.errstate(over="ignore"):
            return np.array(data, np.float64).astype(kind)
    if float in set(map(type, data)):
        raise Malformed(f"`data` holds fractions, and the tensor is of {np.dtype(kind).name}")
    most = int(np.iinfo(np.dtype(kind)).max)
    if data and (min(data) < 0 or max(data) > most):
        raise Malformed(f"`data` goes from {min(data)} to {max(data)}, and the type from 0 to {most}")
    return np.array(data, kind)
