"""The Open Inference Protocol, version 2, in JSON or with binary tensors, as KServe, Triton and others speak it.

https://github.com/kserve/open-inference-protocol. The input is one tensor `images` [N, C, H, W] of UINT8, UINT16 or
FP32, which means what a `.npy` body of `POST /embed` means, and the output is `embedding` [rows, features] of FP32.
A model has one version, the SHA-256 of its file, and is also found below `/versions/` under it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.routing import APIRoute
from gandl_shared.clients.wire import ModelInfo
from gandl_shared.errors import GandlError, NotFound, Unavailable
from gandl_shared.schemas.base import Frozen
from gandl_shared.web.errors import error_response, error_responses
from gandl_shared.web.negotiation import JSON
from gandl_shared.web.query import NO_QUERY
from gandl_shared.web.request_ids import request_id
from gandl_shared.web.requests.bodies import BodyLimit, Handler
from gandl_shared.web.requests.presence import CLIENT_GONE, while_present
from pydantic import Field

from gandl_embedding.api.answers import BYTES
from gandl_embedding.api.examples import INFERENCE, INFERENCE_REQUEST
from gandl_embedding.api.tensors import HEAD_LENGTH, INPUT, OUTPUT, TYPES, tensor_of_request
from gandl_embedding.service import EmbeddingService, EmbedOptions, EmbedResult
from gandl_embedding.settings import MIB

ModelName = Annotated[str, Path(description="name of a model")]
ModelVersion = Annotated[str, Path(description="the SHA-256 of the file of the model, as its metadata names it")]


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
    """The server, and the extensions of the protocol that it has."""

    name: str = "gandl embedding"
    version: str
    extensions: tuple[str, ...] = ("binary_tensor_data",)


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
    routes = APIRouter(tags=["open inference protocol"], route_class=_ProtocolRoute)

    # A misspelt parameter is refused before a version that is not served.
    async def check_version(name: ModelName, version: ModelVersion, _: Annotated[None, NO_QUERY]) -> None:
        only = service.model(name).id
        if version != only:
            raise NotFound(f"{name} has no version {version[:80]!r}; it is served in version {only}")

    of_model = _model_router(service)
    routes.include_router(_server_router(service), prefix="/v2", dependencies=[NO_QUERY])
    routes.include_router(of_model, prefix="/v2/models/{name}", dependencies=[NO_QUERY])
    routes.include_router(
        of_model, prefix="/v2/models/{name}/versions/{version}", dependencies=[Depends(check_version)]
    )
    return routes


def _server_router(service: EmbeddingService) -> APIRouter:
    """Return the routes of the server."""
    routes = APIRouter(route_class=_ProtocolRoute)

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

    return routes


def _model_router(service: EmbeddingService) -> APIRouter:
    """Return the routes of one model."""
    routes = APIRouter(route_class=_ProtocolRoute)
    limit = BodyLimit(service.settings.body_mib * MIB, "send fewer images, or send `.npy` to /embed")

    @routes.get("", summary="The tensors of a model", responses=error_responses(401, 404, 422, 503))
    async def model(name: ModelName) -> ModelMetadata:
        return _metadata(service.model(name))

    @routes.get("/ready", summary="The model is ready", responses=error_responses(401, 404, 422, 503))
    async def model_ready(name: ModelName) -> dict[str, bool]:
        service.model(name)
        _check_ready(service)
        return {"ready": True}

    @routes.post(
        "/infer",
        summary="Images to vectors",
        response_model=InferenceResponse,
        description=_DESCRIPTION,
        responses={
            200: {"content": {JSON: {"example": INFERENCE}, BYTES: _BINARY}, "description": "Vectors"},
            **error_responses(400, 401, 404, 408, 413, 415, 422, 429, 500, 503, 504),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": _REQUEST, "example": INFERENCE_REQUEST}, BYTES: _BINARY},
            }
        },
    )
    async def infer(request: Request, name: ModelName) -> Response:
        service.check_room(name)
        with service.reservation(limit.stated_length(request) or 0) as reserve:
            body = await limit.read(request, reserve)
            answer = await while_present(
                request.receive, _inferred(service, name, body, request.headers.get(HEAD_LENGTH))
            )
        return Response(status_code=CLIENT_GONE) if answer is None else answer

    return routes


class _ProtocolRoute(APIRoute):
    """A route whose errors have their reason in `error`, which is all that clients of the protocol show."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_with_reasons(request: Request) -> Response:
            try:
                return await handle(request)
            except GandlError as error:
                return error_response(error, request_id(request), name=f"{type(error).__name__}: {error.detail}")

        return handle_with_reasons


async def _inferred(service: EmbeddingService, name: str, body: bytes, head_length: str | None) -> Response:
    # Megabytes of numbers take a while, and other requests need this loop.
    request = await asyncio.to_thread(tensor_of_request, body, head_length)
    result = await service.embed_array(request.array, EmbedOptions(model=name))
    return await asyncio.to_thread(_answer, result, request.identity, binary=request.binary)


def _check_ready(service: EmbeddingService) -> None:
    reason = service.ready()
    if reason is not None:
        raise Unavailable(reason)


def _metadata(info: ModelInfo) -> ModelMetadata:
    card = info.card
    images = TensorInfo(name=INPUT, datatype="UINT8", shape=(-1, len(card.channels), card.size, card.size))
    vectors = TensorInfo(name=OUTPUT, datatype="FP32", shape=(-1, card.features))
    return ModelMetadata(name=info.name, versions=(info.id,), inputs=(images,), outputs=(vectors,))


def _answer(result: EmbedResult, identity: str | None, *, binary: bool) -> Response:
    output: dict[str, object] = {"name": OUTPUT, "datatype": "FP32", "shape": result.vectors.shape}
    numbers = np.ascontiguousarray(result.vectors, "<f4")
    output |= {"parameters": {"binary_data_size": numbers.nbytes}} if binary else {"data": numbers.ravel()}
    answer = {"model_name": result.card.name, "model_version": result.model_id, "outputs": [output]}
    head = orjson.dumps(answer | ({"id": identity} if identity is not None else {}), option=orjson.OPT_SERIALIZE_NUMPY)
    if not binary:
        return Response(head, media_type=JSON)
    return Response(head + numbers.tobytes(), media_type=BYTES, headers={HEAD_LENGTH: str(len(head))})


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_DESCRIPTION = f"""The tensor `{INPUT}` means what a `.npy` body of `POST /embed` means. Its numbers are in the JSON, or
follow it as bytes (extension `binary_tensor_data`): then the header {HEAD_LENGTH} has the length of the JSON, and the
tensor has the parameter `binary_data_size`. The answer is such a body where the output has the parameter `binary_data`,
or the request `binary_data_output`. Bodies may not be compressed."""
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
                    "datatype": {"enum": list(TYPES)},
                    "data": {"type": "array", "items": {}},
                },
            },
        },
    },
}
