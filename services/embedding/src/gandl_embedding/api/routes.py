"""The routes of the embedding service: they translate HTTP into a call of the service, and its result into HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from gandl_shared.clients.wire import (
    NPY,
    PARQUET,
    Embeddings,
    ModelInfo,
    ModelList,
)
from gandl_shared.errors import UnsupportedType
from gandl_shared.web.errors import error_responses
from gandl_shared.web.keys import require_key
from gandl_shared.web.negotiation import JSON
from gandl_shared.web.query import NO_QUERY
from gandl_shared.web.requests.bodies import BodyLimit
from gandl_shared.web.requests.presence import CLIENT_GONE, while_present

from gandl_embedding.api.answers import BYTES, AnswerForm, render
from gandl_embedding.api.examples import EMBEDDINGS, FIELDS, MODEL
from gandl_embedding.api.open_inference import open_inference_router
from gandl_embedding.api.query import EmbedQuery
from gandl_embedding.inputs import CHANNEL, IMAGE, read_form
from gandl_embedding.service import EmbeddingService
from gandl_embedding.settings import MIB, Settings

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
                        "description": "one TIFF or PNG per channel, in the order of the model's channels",
                    },
                },
                "minProperties": 1,
                "additionalProperties": {**_FILES, "description": "files of the channel that the field names"},
            }
        },
        NPY: {
            **_BINARY,
            "examples": {"fields": FIELDS},
        },
        BYTES: _BINARY,
    },
}
_DESCRIPTION = """Returns the vectors of images, in the order in which the images are sent.

**multipart/form-data**: each part `image` is one multi-channel TIFF or OME-TIFF. Or each part `channel` is a TIFF or
PNG with one channel, in the order of the model's channels (`GET /models`): all channels of the first image, then of the
second. **application/x-npy**: an array `[N, C, H, W]`. If it is uint8, has exactly the model's tile size and comes
without limits, it holds tiles that are ready; any other array (uint8, uint16, float32) holds raw fields. Pickled arrays
are refused.

Raw images are averaged down, mapped to 0..255 by the model card's limits or by `low` and `high` (one number per
channel), and cut into tiles, exactly as in a screen.

Images that the limits of the card do not fit are refused: more than 5 % of the pixels of a channel lie outside, or no
channel spans 5 % of its range. `allow_clipping` accepts them. `intensities` in the answer, or with `.npy` the header
X-Gandl-Clipped, tells the share of the pixels of each channel that lie outside.

Channels may come in any order under their names: `channels=ER&channels=DNA` says in which order an image has them,
and a form may have one field per channel, named as the model's channels are. With `keep_going` an image that cannot be
used does not fail the others: `images` has its error, and it has no rows.

The answer is JSON, or `.npy` (`[rows, features]`) if `Accept` prefers application/x-npy, or Parquet for
application/vnd.apache.parquet. `encoding=base64` puts the bytes of the vectors into the JSON, and `dtype=float16`
halves `.npy` and base64 answers. `Server-Timing` has the milliseconds of decode, queue and compute."""


def router(service: EmbeddingService) -> APIRouter:
    """Return the routes over one service."""
    check_key = require_key(service.settings.api_key)
    routes = APIRouter(tags=["embedding"], dependencies=[Depends(check_key)])
    limit = body_limit(service.settings)

    @routes.get(
        "/models",
        summary="Models that are served, with their cards",
        responses={200: {"content": {JSON: {"example": {"models": [MODEL]}}}}, **error_responses(401, 503)},
        dependencies=[NO_QUERY],
    )
    async def models() -> ModelList:
        return ModelList(models=service.models())

    @routes.get(
        "/models/{name}",
        summary="One model's card",
        responses={200: {"content": {JSON: {"example": MODEL}}}, **error_responses(401, 404, 422, 503)},
        dependencies=[NO_QUERY],
    )
    async def model(name: str) -> ModelInfo:
        return service.model(name)

    @routes.post(
        "/models/reload",
        summary="Serve what the folder of models holds now",
        description="Requests under way end on the models that they began with. A model that cannot be loaded changes "
        "nothing.",
        responses=error_responses(401, 404, 422, 503),
        dependencies=[NO_QUERY],
    )
    async def reload() -> ModelList:
        return ModelList(models=await service.reload())

    @routes.post(
        "/embed",
        summary="Images to vectors",
        description=_DESCRIPTION,
        response_model=Embeddings,
        responses={
            200: {
                "content": {JSON: {"examples": EMBEDDINGS}, NPY: _BINARY, PARQUET: _BINARY},
                "description": "Vectors",
            },
            **error_responses(400, 401, 404, 408, 413, 415, 422, 429, 500, 503, 504),
        },
        openapi_extra={"requestBody": _BODY},
    )
    async def embed(request: Request, query: Annotated[EmbedQuery, Query()]) -> Response:
        length = limit.stated_length(request)
        media = _media(request)
        # What can be refused at once is refused before the body is read.
        service.check_room(query.model)
        with service.reservation(length or 0) as reserve:
            body = await limit.read(request, reserve)
            work = _answer(service, request, media, body, query)
            answer = await while_present(request.receive, work)
        return Response(status_code=CLIENT_GONE) if answer is None else answer

    routes.include_router(open_inference_router(service))
    return routes


def body_limit(settings: Settings) -> BodyLimit:
    """Return the limit of the bodies of `POST /embed`."""
    return BodyLimit(settings.body_mib * MIB, "send the images in several requests")


def _media(request: Request) -> str:
    """Return the media type of a body. Raises UnsupportedType for one that the route does not take."""
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media not in (_FORM, NPY, BYTES):
        raise UnsupportedType(
            f"the body is {media or 'of no stated type'}; this route takes {_FORM}, {NPY} and {BYTES}"
        )
    return media


async def _answer(service: EmbeddingService, request: Request, media: str, body: bytes, query: EmbedQuery) -> Response:
    form = AnswerForm(accept=request.headers.get("accept"), encoding=query.encoding, dtype=query.dtype)
    if media == _FORM:
        uploads = await read_form(request.headers, body, service.settings.request_files)
        return await render(form, await service.embed_uploads(uploads, query.options))
    return await render(form, await service.embed_npy(body, query.options))
