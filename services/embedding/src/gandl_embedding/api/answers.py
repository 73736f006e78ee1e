"""Vectors as the client asks for them."""

from __future__ import annotations

import asyncio
import base64
import io
from http import HTTPStatus
from typing import NamedTuple

import numpy as np
import orjson
from fastapi import Response
from gandl_shared.clients.wire import (
    CLIPPED,
    MODEL_ID,
    NPY,
    NUMERICS,
    PARQUET,
    SERVER_TIMING,
    TILE_COUNTS,
    EmbeddedImage,
    Embeddings,
    EncodedVectors,
    Encoding,
    Pool,
    Precision,
    to_npy,
)
from gandl_shared.errors import Invalid
from gandl_shared.web.negotiation import JSON, preferred
from numpy.typing import NDArray

from gandl_embedding.service import EmbedResult

BYTES = "application/octet-stream"
_OK = int(HTTPStatus.OK)
_OFFERED = (JSON, NPY, BYTES, PARQUET)
_MODEL_ID, _NUMERICS, _SERVER_TIMING = (name.lower().encode() for name in (MODEL_ID, NUMERICS, SERVER_TIMING))
MAX_INLINE_NUMBERS = 2**15
"""Up to so many numbers are written as JSON in the thread of the event loop, in a millisecond or two. More of them
would hold up other requests."""


class AnswerForm(NamedTuple):
    """The Accept header of a request, how JSON holds the vectors, and their precision elsewhere."""

    accept: str | None = None
    encoding: Encoding = Encoding.NUMBERS
    dtype: Precision = Precision.FLOAT32


class Answer(NamedTuple):
    """An answer as a server sends it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


async def render(form: AnswerForm, result: EmbedResult) -> Response:
    """Return the answer to a request as a response of the framework."""
    status, headers, body = await rendered(form, result)
    response = Response(body, status_code=status)
    response.raw_headers = headers
    return response


async def rendered(form: AnswerForm, result: EmbedResult) -> Answer:
    """Return the answer to a request in the form that it asks for."""
    media = preferred(form.accept, _OFFERED)
    headers = _headers(result)
    if media == PARQUET:
        body = await asyncio.to_thread(parquet_of, result)
    elif media == JSON:
        in_loop = result.vectors.size <= MAX_INLINE_NUMBERS
        body = json_of(result, form) if in_loop else await asyncio.to_thread(json_of, result, form)
    elif result.novelty is not None:
        raise Invalid("an .npy answer has no room for novelty; ask for JSON or Parquet, or leave novelty out")
    else:
        media = NPY
        if result.tiles.errors:
            headers.append((TILE_COUNTS.lower().encode(), ",".join(map(str, result.tiles.counts)).encode()))
        is_whole = form.dtype is Precision.FLOAT32
        body = to_npy(result.vectors if is_whole else result.vectors.astype(form.dtype.value))
    headers += ((b"content-type", media.encode()), (b"content-length", b"%d" % len(body)))
    return Answer(_OK, headers, body)


def json_of(result: EmbedResult, form: AnswerForm) -> bytes:
    """Return the JSON of `Embeddings`; each number is the shortest that gives the same float32."""
    tiles = result.tiles
    errors = tiles.errors or (None,) * len(tiles.names)
    head = Embeddings(
        model=result.card.name,
        model_id=result.model_id,
        pool=result.pool,
        limits=tiles.limits,
        intensities=tiles.intensities,
        images=tuple(
            EmbeddedImage(name=name, tiles=count, error=error)
            for name, count, error in zip(tiles.names, tiles.counts, errors, strict=True)
        ),
        vectors=(),
        encoded=_encoded(result.vectors, form.dtype) if form.encoding is Encoding.BASE64 else None,
    )
    values = head.model_dump(mode="json")
    if head.encoded is None:
        values["vectors"] = result.vectors
    if result.novelty is not None:
        values["novelty"] = np.ascontiguousarray(result.novelty)
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)


def parquet_of(result: EmbedResult) -> bytes:
    """Return a Parquet file as the profiles of screens are: the image and tile of each row, then its numbers."""
    import pyarrow as pa  # noqa: PLC0415 - it starts slowly, and few requests want it
    import pyarrow.parquet as pq  # noqa: PLC0415

    counts = result.tiles.counts if result.pool is Pool.TILES else [min(count, 1) for count in result.tiles.counts]
    images = [name for name, count in zip(result.tiles.names, counts, strict=True) for _ in range(count)]
    columns: dict[str, object] = {"Metadata_image": images}
    if result.pool is Pool.TILES:
        columns["Metadata_tile"] = [tile for count in counts for tile in range(count)]
    if result.novelty is not None:
        columns["Metadata_novelty"] = result.novelty
    columns |= {f"gandl_{number:03d}": column for number, column in enumerate(result.vectors.T)}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def _encoded(vectors: NDArray[np.float32], dtype: Precision) -> EncodedVectors:
    data = np.ascontiguousarray(vectors, f"<{np.dtype(dtype.value).str[1:]}").tobytes()
    shape = (vectors.shape[0], vectors.shape[1])
    return EncodedVectors(dtype=dtype, shape=shape, base64=base64.b64encode(data).decode())


def _headers(result: EmbedResult) -> list[tuple[bytes, bytes]]:
    headers = [(_MODEL_ID, result.model_id.encode()), (_NUMERICS, result.numerics.encode())]
    if result.stages:
        durations = ", ".join([f"{stage};dur={1000 * seconds:.2f}" for stage, seconds in result.stages.items()])
        headers.append((_SERVER_TIMING, durations.encode()))
    if result.tiles.intensities is not None:
        shares = ",".join(f"{channel.clipped:.4f}" for channel in result.tiles.intensities.channels)
        headers.append((CLIPPED.lower().encode(), shares.encode()))
    return headers
