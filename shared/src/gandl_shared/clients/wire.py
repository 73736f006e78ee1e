"""What the embedding service and its clients send each other: the forms of JSON, and `.npy` without pickles."""

from __future__ import annotations

import io
import math
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray
from pydantic import Field

from gandl_shared.errors import Malformed
from gandl_shared.models import ModelCard
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.limits import IntensityLimits

NPY = "application/x-npy"
MODEL_ID = "X-Gandl-Model-Id"

Array = NDArray[Any]  # whatever type the header names; the reader decides which it takes


class Pool(StrEnum):
    """Rows of the answer: a vector a tile, or the mean of an image's tiles."""

    TILES = "tiles"
    MEAN = "mean"


class ModelInfo(Frozen):
    """A model that is served. `id` is the SHA-256 of its file: the identity of a model in the keys of vectors."""

    name: str
    id: str
    default: bool = Field(description="used where a request names no model")
    provider: str = Field(description="what it runs on, such as CPUExecutionProvider")
    card: ModelCard


class ModelList(Frozen):
    """All models of a service."""

    models: tuple[ModelInfo, ...]


class EmbeddedImage(Frozen):
    """One image of a request and how many tiles it gave."""

    name: str
    tiles: int


class Embeddings(Frozen):
    """Vectors, image by image in the order sent, tiles row by row from the upper left.

    `limits` is null where ready-made uint8 tiles were sent, which are not mapped again.
    """

    model: str
    model_id: str
    pool: Pool
    limits: IntensityLimits | None
    images: tuple[EmbeddedImage, ...]
    vectors: tuple[tuple[float, ...], ...]


def to_npy(array: Array) -> bytes:
    """The bytes of an `.npy` file of `array`."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def from_npy(body: bytes) -> Array:
    """The array in the bytes of an `.npy` file, as a read-only view of them in the machine's byte order.

    Raises Malformed for anything else: pickled objects, structures, a header that promises more or less than there is.
    """
    stream = io.BytesIO(body)
    shape, fortran, dtype = _header(stream)
    if dtype.kind not in "uifb":
        raise Malformed(f"the .npy holds {dtype}; plain numbers are read")
    start, promised = stream.tell(), math.prod(shape) * dtype.itemsize
    if len(body) - start != promised:
        raise Malformed(
            f"the .npy header promises {promised} bytes ({dtype} {list(shape)}), {len(body) - start} follow"
        )
    flat: Array = np.frombuffer(body, dtype, offset=start) if promised else np.empty(0, dtype)
    array = flat.reshape(shape, order="F" if fortran else "C")
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))


def _header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    readers = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}
    try:
        version = npy_format.read_magic(stream)
        if version not in readers:
            raise ValueError(f"format {version} is not read")
        shape, fortran, dtype = readers[version](stream)
    except Exception as error:  # the header is a Python literal: its parser fails in many ways on a damaged one
        raise Malformed(f"the body is not an .npy array: {error}") from error
    if any(not isinstance(n, int) or n < 0 for n in shape):
        raise Malformed(f"the .npy header has the shape {shape}")
    return shape, fortran, dtype
