"""The routes of the embedding service: they translate HTTP into a call of the service, and its result into HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from gandl_shared.clients.wire import (
    CLIPPED,
    MODEL_ID,
    NPY,
    EmbeddedImage,
    Embeddings,
    ModelInfo,
    ModelList,
    Pool,
    to_npy,
)
from gandl_shared.errors import Malformed, UnsupportedType
from gandl_shared.web.errors import error_responses
from gandl_shared.web.keys import require_key
from gandl_shared.web.negotiation import JSON, preferred
from gandl_shared.web.query import NO_QUERY, QueryModel
from gandl_shared.web.requests.bodies import BodyLimit
from gandl_shared.web.requests.presence import CLIENT_GONE, while_present
from pydantic import Field
from starlette.requests import ClientDisconnect

from gandl_embedding.inputs import CHANNEL, IMAGE, read_form
from gandl_embedding.service import EmbeddingService, EmbedOptions, EmbedResult
from gandl_embedding.settings import MIB

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
                        "description": "one TIFF or PNG per channel, in the order of the model's channels",
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

The answer is JSON, or `.npy` (float32 `[rows, features]`) if `Accept` prefers application/x-npy."""


class EmbedQuery(QueryModel):
    """The query parameters of `POST /embed`."""

    model: str | None = Field(default=None, description="name of a model; the default one if absent")
    pool: Pool = Field(default=Pool.TILES, description="one vector per tile, or the mean of each image's tiles")
    low: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(
        default=None, description="raw intensity that becomes 0; repeat, one per channel"
    )
    high: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(
        default=None, description="raw intensity that becomes 255; repeat, one per channel"
    )
    allow_clipping: bool = Field(
        default=False, description="true: use the limits of the card even where they do not fit the images"
    )

    @property
    def options(self) -> EmbedOptions:
        """The options of the service."""
        return EmbedOptions(
            model=self.model,
            pool=self.pool,
            low=tuple(self.low or ()),
            high=tuple(self.high or ()),
            allow_clipping=self.allow_clipping,
        )


def router(service: EmbeddingService) -> APIRouter:
    """Return the routes over one service."""
    routes = APIRouter(tags=["embedding"], dependencies=[Depends(require_key(service.settings.api_key))])
    limit = BodyLimit(service.settings.body_mib * MIB, "send the images in several requests")

    @routes.get(
        "/models",
        summary="Models that are served, with their cards",
        responses=error_responses(401, 503),
        dependencies=[NO_QUERY],
    )
    async def models() -> ModelList:
        return ModelList(models=service.models())

    @routes.get(
        "/models/{name}",
        summary="One model's card",
        responses=error_responses(401, 404, 422, 503),
        dependencies=[NO_QUERY],
    )
    async def model(name: str) -> ModelInfo:
        return service.model(name)

    @routes.post(
        "/embed",
        summary="Images to vectors",
        description=_DESCRIPTION,
        response_model=Embeddings,
        responses={
            200: {"content": {NPY: _BINARY}, "description": "Vectors"},
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
            body = await _read(Request(request.scope, limit.limit(request.receive, reserve)))
            work = _answer(service, request, media, body, query.options)
            answer = await while_present(request.receive, work)
        return Response(status_code=CLIENT_GONE) if answer is None else answer

    return routes


def _media(request: Request) -> str:
    """Return the media type of a body. Raises UnsupportedType for one that the route does not take."""
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media not in (_FORM, NPY, _BYTES):
        raise UnsupportedType(
            f"the body is {media or 'of no stated type'}; this route takes {_FORM}, {NPY} and {_BYTES}"
        )
    return media


async def _read(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect as error:
        raise Malformed("the body ended before it was complete") from error


async def _answer(
    service: EmbeddingService, request: Request, media: str, body: bytes, options: EmbedOptions
) -> Response:
    if media == _FORM:
        uploads = await read_form(request.headers, body, service.settings.request_files)
        return await _rendered(request, await service.embed_uploads(uploads, options))
    return await _rendered(request, await service.embed_npy(body, options))


async def _rendered(request: Request, result: EmbedResult) -> Response:
    # The answer is encoded in a thread: JSON of thousands of vectors takes a while, and other requests need this loop.
    headers = {MODEL_ID: result.model_id}
    if result.tiles.intensities is not None:
        headers[CLIPPED] = ",".join(f"{channel.clipped:.4f}" for channel in result.tiles.intensities.channels)
    if preferred(request.headers.get("accept"), (JSON, NPY, _BYTES)) == JSON:
        text = await asyncio.to_thread(lambda: _embeddings(result).model_dump_json())
        return Response(text, headers=headers, media_type=JSON)
    return Response(await asyncio.to_thread(to_npy, result.vectors), headers=headers, media_type=NPY)


def _embeddings(result: EmbedResult) -> Embeddings:
    tiles = result.tiles
    vectors: Any = result.vectors.tolist()  # Any: numpy cannot say that these are rows of floats
    return Embeddings(
        model=result.card.name,
        model_id=result.model_id,
        pool=result.pool,
        limits=tiles.limits,
        intensities=tiles.intensities,
        images=tuple(EmbeddedImage(name=n, tiles=c) for n, c in zip(tiles.names, tiles.counts, strict=True)),
        vectors=vectors,
    )
