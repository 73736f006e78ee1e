"""The routes of the embedding service: HTTP in, a call of the service, HTTP out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from gandl_shared.clients.wire import (
    MODEL_ID,
    NPY,
    EmbeddedImage,
    Embeddings,
    ModelInfo,
    ModelList,
    Pool,
    to_npy,
)
from gandl_shared.errors import Invalid, Malformed, TooLarge, UnsupportedType
from gandl_shared.web.app import error_responses, key_required
from pydantic import Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from gandl_embedding.inputs import CHANNEL, IMAGE, Upload
from gandl_embedding.service import Ask, Embedded, EmbeddingService

_BYTES = "application/octet-stream"
_FORM = "multipart/form-data"

_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "required": True,
    "content": {
        _FORM: {
            "schema": {
                "type": "object",
                "properties": {
                    IMAGE: {**_FILES, "description": "multi-channel TIFF or OME-TIFF; repeat for several images"},
                    CHANNEL: {
                        **_FILES,
                        "description": "one TIFF or PNG a channel, in the order of the model's channels",
                    },
                },
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            }
        },
        NPY: _BINARY,
        _BYTES: _BINARY,
    },
}
_ABOUT = """Vectors of images, in the order sent.

**multipart/form-data**: each part `image` is one multi-channel TIFF or OME-TIFF; or parts `channel`, one TIFF or PNG a
channel in the order of the model's channels (`GET /models`), all channels of the first image, then of the second.
**application/x-npy**: an array `[N, C, H, W]`. uint8 of exactly the model's tile size, sent without limits, are tiles
that are ready; anything else (uint8, uint16, float32) is raw fields. Pickled arrays are refused.

Raw images are averaged down, mapped to 0..255 by the model card's limits or those given as `low` and `high` (a number a
channel), and cut into tiles, exactly as a screen does it. Answers JSON, or `.npy` (float32 `[rows, features]`) where
`Accept` names application/x-npy first."""

Limit = Annotated[float, Field(allow_inf_nan=False)]


def router(service: EmbeddingService) -> APIRouter:
    """The routes over one service."""
    key = service.settings.api_key
    routes = APIRouter(
        tags=["embedding"], dependencies=[Depends(key_required(key.get_secret_value() if key else None))]
    )

    @routes.get("/models", summary="Models that are served, with their cards", responses=error_responses(401, 503))
    async def models() -> ModelList:
        return ModelList(models=service.models())

    @routes.get("/models/{name}", summary="One model's card", responses=error_responses(401, 404, 422, 503))
    async def model(name: str) -> ModelInfo:
        return service.model(name)

    @routes.post(
        "/embed",
        summary="Images to vectors",
        description=_ABOUT,
        response_model=Embeddings,
        responses={
            200: {"content": {NPY: _BINARY}, "description": "Vectors"},
            **error_responses(400, 401, 404, 413, 415, 422, 429, 500, 503, 504),
        },
        openapi_extra={"requestBody": _BODY},
    )
    async def embed(request: Request, ask: Annotated[Ask, Depends(_ask)]) -> Response:
        with service.admitted(_content_length(request)) as most:
            return await _rendered(request, await _embedded(service, request, ask, most))

    return routes


def _ask(
    model: Annotated[str | None, Query(description="name of a model; the default one if absent")] = None,
    pool: Annotated[Pool, Query(description="a vector a tile, or the mean of each image's tiles")] = Pool.TILES,
    low: Annotated[list[Limit] | None, Query(description="raw intensity that becomes 0; repeat, one a channel")] = None,
    high: Annotated[list[Limit] | None, Query(description="raw intensity that becomes 255; likewise")] = None,
) -> Ask:
    return Ask(model, pool, tuple(low or ()), tuple(high or ()))


async def _embedded(service: EmbeddingService, request: Request, ask: Ask, most: int) -> Embedded:
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media not in (_FORM, NPY, _BYTES):
        raise UnsupportedType(f"the body is {media or 'of no stated type'}; taken are {_FORM}, {NPY} and {_BYTES}")
    limited = Request(request.scope, _limited(request.receive, most))
    try:
        if media == _FORM:
            return await _embedded_form(service, limited, ask)
        return await service.embed_npy(b"".join([chunk async for chunk in limited.stream()]), ask)
    except ClientDisconnect as error:
        raise Malformed("the body ended before it was complete") from error


async def _embedded_form(service: EmbeddingService, request: Request, ask: Ask) -> Embedded:
    files = service.settings.request_files
    try:
        async with request.form(max_files=files, max_fields=16) as form:
            uploads = [_upload(name, value) for name, value in form.multi_items()]
            return await service.embed_uploads(uploads, ask)
    except HTTPException as error:  # Starlette's word for a form that cannot be parsed, or has too many files
        raise Malformed(f"the form cannot be read: {error.detail}") from error


def _upload(name: str, value: UploadFile | str) -> Upload:
    if isinstance(value, str):
        raise Invalid(f"the form field {name!r} is text; send images as files in '{IMAGE}' or '{CHANNEL}'")
    return Upload(name, value.filename or "", value.file)


def _content_length(request: Request) -> int | None:
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Malformed(f"Content-Length is {text!r}")
    return int(text)


def _limited(receive: Receive, most: int) -> Receive:
    """`receive` that stops a body of unstated or wrongly stated length at `most` bytes."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise TooLarge(f"the body has more than {most} bytes; send the images in several")
        return message

    return limited


async def _rendered(request: Request, answer: Embedded) -> Response:
    # In a thread: the JSON of thousands of vectors takes a while, and others wait for this loop.
    headers = {MODEL_ID: answer.model_id}
    if _wants_npy(request.headers.get("accept", "")):
        return Response(await asyncio.to_thread(to_npy, answer.vectors), headers=headers, media_type=NPY)
    text = await asyncio.to_thread(lambda: _form(answer).model_dump_json())
    return Response(text, headers=headers, media_type="application/json")


def _wants_npy(accept: str) -> bool:
    """Whether an `Accept` header names `.npy` before JSON; anything unknown is answered as JSON."""
    kinds: Mapping[str, bool] = {NPY: True, _BYTES: True, "application/json": False, "*/*": False}
    for entry in accept.lower().split(","):
        media = entry.split(";")[0].strip()
        if media in kinds:
            return kinds[media]
    return False


def _form(answer: Embedded) -> Embeddings:
    tiles = answer.tiles
    vectors: Any = answer.vectors.tolist()  # Any: numpy cannot say that these are rows of floats
    return Embeddings(
        model=answer.card.name,
        model_id=answer.model_id,
        pool=answer.pool,
        limits=tiles.limits,
        images=tuple(EmbeddedImage(name=n, tiles=c) for n, c in zip(tiles.names, tiles.counts, strict=True)),
        vectors=vectors,
    )
