"""The Open Inference Protocol, version 2, in JSON, as KServe, Triton and others speak it.

https://github.com/kserve/open-inference-protocol. The input is one tensor `images` [N, C, H, W] of UINT8, UINT16 or
FP32, which means what a `.npy` body of `POST /embed` means, and the output is `embedding` [rows, features] of FP32.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Path, Request, Response
from gandl_shared.clients.wire import ModelInfo
from gandl_shared.errors import Malformed, Unavailable
from gandl_shared.schemas.base import Frozen
from gandl_shared.web.errors import error_responses
from gandl_shared.web.negotiation import JSON
from gandl_shared.web.query import NO_QUERY
from gandl_shared.web.requests.bodies import BodyLimit
from gandl_shared.web.requests.presence import CLIENT_GONE, while_present
from numpy.typing import NDArray
from pydantic import Field

from gandl_embedding.service import EmbeddingService, EmbedOptions, EmbedResult
from gandl_embedding.settings import MIB

INPUT, OUTPUT = "images", "embedding"
_TYPES: Mapping[str, type[np.generic]] = {"UINT8": np.uint8, "UINT16": np.uint16, "FP32": np.float32}

ModelName = Annotated[str, Path(description="name of a model")]


class TensorInfo(Frozen):
    """A tensor of a model; −1 stands for any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class ModelMetadata(Frozen):
    """A model; its version is the SHA-256 of its file."""

    name: str
    versions: tuple[str, ...]
    platform: str = "onnxruntime_onnx"
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]


class ServerMetadata(Frozen):
    """The server; it has no extension of the protocol."""

    name: str = "gandl embedding"
    version: str
    extensions: tuple[str, ...] = ()


class Tensor(Frozen):
    """A tensor with its numbers row by row, nested or not."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Sequence[Any] = Field(description="numbers, row by row, nested or not")  # Any: JSON may nest them


class InferenceResponse(Frozen):
    """The answer to a request, with its id."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: tuple[Tensor, ...]


def open_inference_router(service: EmbeddingService) -> APIRouter:
    """Return the routes of the protocol over one service."""
    routes = APIRouter(prefix="/v2", tags=["open inference protocol"], dependencies=[NO_QUERY])
    limit = BodyLimit(service.settings.body_mib * MIB, "send fewer images, or send `.npy` to /embed")

    @routes.get("", summary="The server", responses=error_responses(401, 422))
    async def server() -> ServerMetadata:
        return ServerMetadata(version=version("gandl-embedding"))

    @routes.get("/health/live", summary="The process answers", responses=error_responses(401, 422))
    async def live() -> dict[str, bool]:
        return {"live": True}

    @routes.get("/health/ready", summary="Every model is ready", responses=error_responses(401, 422, 503))
    async def ready() -> dict[str, bool]:
        _check_ready(service)
        return {"ready": True}

    @routes.get("/models/{name}", summary="The tensors of a model", responses=error_responses(401, 404, 422, 503))
    async def model(name: ModelName) -> ModelMetadata:
        return _metadata(service.model(name))

    @routes.get("/models/{name}/ready", summary="The model is ready", responses=error_responses(401, 404, 422, 503))
    async def model_ready(name: ModelName) -> dict[str, bool]:
        service.model(name)
        _check_ready(service)
        return {"ready": True}

    @routes.post(
        "/models/{name}/infer",
        summary="Images to vectors",
        response_model=InferenceResponse,
        responses=error_responses(400, 401, 404, 408, 413, 422, 429, 500, 503, 504),
        openapi_extra={"requestBody": {"required": True, "content": {JSON: {"schema": _REQUEST}}}},
    )
    async def infer(request: Request, name: ModelName) -> Response:
        service.check_room(name)
        with service.reservation(limit.stated_length(request) or 0) as reserve:
            body = await limit.read(request, reserve)
            answer = await while_present(request.receive, _inferred(service, name, body))
        return Response(status_code=CLIENT_GONE) if answer is None else Response(answer, media_type=JSON)

    return routes


async def _inferred(service: EmbeddingService, name: str, body: bytes) -> bytes:
    # Megabytes of numbers take a while, and other requests need this loop.
    identity, array = await asyncio.to_thread(tensor_of_request, body)
    result = await service.embed_array(array, EmbedOptions(model=name))
    return await asyncio.to_thread(_answer, result, identity)


def tensor_of_request(body: bytes) -> tuple[str | None, NDArray[Any]]:  # Any: one of the types of _TYPES
    """Return the id of a request and its array. Raises Malformed."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    inputs = request.get("inputs") if isinstance(request, dict) else None
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Malformed(f"`inputs` must be a list of one tensor, {INPUT!r}")
    identity = request.get("id")
    if identity is not None and not isinstance(identity, str):
        raise Malformed("`id` must be a text")
    return identity, _array(inputs[0])


def _array(tensor: Mapping[str, Any]) -> NDArray[Any]:
    shape, kind = tensor.get("shape"), _TYPES.get(str(tensor.get("datatype")))
    if tensor.get("name") != INPUT or kind is None:
        raise Malformed(f"the tensor must be {INPUT!r} of {', '.join(_TYPES)}")
    if not isinstance(shape, list) or any(type(length) is not int or length < 0 for length in shape) or len(shape) > 8:
        raise Malformed(f"`shape` must be a list of lengths, such as [1, 2, 64, 64]; it is {str(shape)[:100]}")
    try:
        numbers = np.asarray(tensor.get("data"))
    except (ValueError, OverflowError) as error:
        raise Malformed(f"`data` is no tensor: {error}") from error
    if numbers.size != math.prod(shape):
        raise Malformed(f"`data` has {numbers.size} numbers, and the shape {shape} has {math.prod(shape)}")
    return _typed(numbers.reshape(shape), kind)


def _typed(numbers: NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    """Return numbers in their type. Raises Malformed where one does not fit, since a silent cut would change images."""
    whole = np.issubdtype(kind, np.integer)
    if numbers.size and numbers.dtype.kind not in ("iu" if whole else "iuf"):
        raise Malformed(f"`data` holds {numbers.dtype}, and the tensor is of {np.dtype(kind).name}")
    if numbers.size and whole:
        most = int(np.iinfo(np.dtype(kind)).max)
        if int(numbers.min()) < 0 or int(numbers.max()) > most:
            raise Malformed(f"`data` goes from {numbers.min()} to {numbers.max()}, and the type from 0 to {most}")
    return numbers.astype(kind)


def _check_ready(service: EmbeddingService) -> None:
    reason = service.ready()
    if reason is not None:
        raise Unavailable(reason)


def _metadata(info: ModelInfo) -> ModelMetadata:
    card = info.card
    images = TensorInfo(name=INPUT, datatype="UINT8", shape=(-1, len(card.channels), card.size, card.size))
    vectors = TensorInfo(name=OUTPUT, datatype="FP32", shape=(-1, card.features))
    return ModelMetadata(name=info.name, versions=(info.id,), inputs=(images,), outputs=(vectors,))


def _answer(result: EmbedResult, identity: str | None) -> bytes:
    output = {"name": OUTPUT, "datatype": "FP32", "shape": result.vectors.shape, "data": result.vectors.ravel()}
    answer = {"model_name": result.card.name, "model_version": result.model_id, "outputs": [output]}
    return orjson.dumps(answer | ({"id": identity} if identity is not None else {}), option=orjson.OPT_SERIALIZE_NUMPY)


_REQUEST = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string"},
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "shape", "datatype", "data"],
                "properties": {
                    "name": {"const": INPUT},
                    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                    "datatype": {"enum": list(_TYPES)},
                    "data": {"type": "array", "items": {}},
                },
            },
        },
    },
}
