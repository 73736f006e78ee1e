"""Vectors as the client asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import orjson
from fastapi import Response
from gandl_shared.clients.wire import CLIPPED, MODEL_ID, NPY, SERVER_TIMING, EmbeddedImage, Embeddings, to_npy
from gandl_shared.web.negotiation import JSON, preferred

from gandl_embedding.service import EmbedResult

BYTES = "application/octet-stream"
MAX_INLINE_NUMBERS = 2**15
"""Up to so many numbers are written as JSON in the thread of the event loop, in a millisecond or two. More of them
would hold up other requests."""


async def render(accept: str | None, result: EmbedResult) -> Response:
    """Return the answer to a request in the form that its Accept header prefers."""
    if preferred(accept, (JSON, NPY, BYTES)) != JSON:
        return Response(to_npy(result.vectors), headers=_headers(result), media_type=NPY)
    if result.vectors.size <= MAX_INLINE_NUMBERS:
        text = json_of(result)
    else:
        text = await asyncio.to_thread(json_of, result)
    return Response(text, headers=_headers(result), media_type=JSON)


def json_of(result: EmbedResult) -> bytes:
    """Return the JSON of `Embeddings`; each number is the shortest that gives the same float32."""
    tiles = result.tiles
    head = Embeddings(
        model=result.card.name,
        model_id=result.model_id,
        pool=result.pool,
        limits=tiles.limits,
        intensities=tiles.intensities,
        images=tuple(EmbeddedImage(name=n, tiles=c) for n, c in zip(tiles.names, tiles.counts, strict=True)),
        vectors=(),
    )
    values = {**head.model_dump(mode="json"), "vectors": result.vectors}
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)


def _headers(result: EmbedResult) -> Mapping[str, str]:
    durations = ", ".join(f"{stage};dur={1000 * seconds:.2f}" for stage, seconds in result.stages.items())
    headers = {MODEL_ID: result.model_id, **({SERVER_TIMING: durations} if durations else {})}
    if result.tiles.intensities is not None:
        headers[CLIPPED] = ",".join(f"{channel.clipped:.4f}" for channel in result.tiles.intensities.channels)
    return headers
