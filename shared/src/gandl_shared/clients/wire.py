"""Messages between the embedding service and its clients: JSON models, and `.npy` arrays without pickles."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray
from pydantic import Field

from gandl_shared.errors import Malformed
from gandl_shared.models import ModelCard
from gandl_shared.models.numerics import Numerics
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.limits import IntensityLimits, PlateIntensities

NPY = "application/x-npy"
PARQUET = "application/vnd.apache.parquet"
MODEL_ID = "X-Gandl-Model-Id"
NUMERICS = "X-Gandl-Numerics"
"""How the vectors of an answer were computed: the code of `Numerics`."""
TILE_COUNTS = "X-Gandl-Tiles"
"""The number of tiles of each image, joined by commas, in answers that are no JSON to requests with `keep_going`."""
SERVER_TIMING = "Server-Timing"
"""The milliseconds of decode, queue and compute, in the form that browsers show."""
CLIPPED = "X-Gandl-Clipped"
"""The share of the pixels of each channel that lie outside the limits, joined by commas."""

_MAX_SHAPE_TEXT = 100
MAX_HEADER = 2**16
"""The longest head of an `.npy` file that is looked at, in bytes; numpy reads at most 10,000."""
MAX_CACHED_HEADER = 256
"""The longest head that is kept, in bytes; numpy writes 128."""

Array = NDArray[Any]  # Any: the header names the type, and the reader decides which types it accepts


class Pool(StrEnum):
    """The rows of an answer: one vector per tile, or the mean vector of each image's tiles."""

    TILES = "tiles"
    MEAN = "mean"


class Encoding(StrEnum):
    """How JSON holds vectors: as lists of numbers, or as the base64 of their bytes, little-endian, row by row."""

    NUMBERS = "numbers"
    BASE64 = "base64"


class Precision(StrEnum):
    """The type of the numbers of an answer. float16 has three digits."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


class ServiceLimits(Frozen):
    """What a request to a model may have: bytes, files, pixels (channels × height × width) and tiles together; the
    tiles of one run of the model; the seconds that it may have to wait, and until it fails."""

    body_bytes: int
    files: int
    pixels: int
    tiles: int
    batch_tiles: int
    queue_seconds: float
    deadline_seconds: float


class Agreement(Frozen):
    """How near vectors in another precision come to those in the precision of the model file, over some tiles: the
    largest relative difference (L2), and the smallest cosine."""

    relative_max: float
    cosine_min: float


class PrecisionCheck(Frozen):
    """Another precision measured on a screen by `gandl models --precision`, and kept as `NAME.precision.json` beside
    the model of this SHA-256: its Z′ by cell line, out of fold, beside the one in the precision of the file."""

    model_id: str
    precision: str
    processor: str
    screen: str
    tiles: int
    agreement: Agreement
    z_prime: Mapping[str, float | None]
    z_prime_of_file: Mapping[str, float | None]
    speed: float = Field(description="tiles per second, divided by those in the precision of the file")


class ModelInfo(Frozen):
    """A model of a service. `id` is the SHA-256 of its file, by which the keys of vectors name the model."""

    name: str
    id: str
    default: bool = Field(description="used if a request names no model")
    provider: str = Field(description="execution provider of ONNX Runtime, such as CPUExecutionProvider")
    numerics: Numerics | None = Field(default=None, description="how its vectors are computed, which ends their keys")
    card: ModelCard
    agreement: Agreement | None = Field(
        default=None,
        description="for another precision than that of the file: measured on twelve synthetic tiles at the start",
    )
    precision_check: PrecisionCheck | None = Field(
        default=None, description="for another precision: measured on a screen by `gandl models --precision`"
    )
    limits: ServiceLimits | None = Field(default=None, description="the limits of requests to this service")


class ModelList(Frozen):
    """All models of a service."""

    models: tuple[ModelInfo, ...]


class EmbeddedImage(Frozen):
    """One image of a request and its number of tiles. With `keep_going`, `error` says why an image has none."""

    name: str
    tiles: int
    error: str | None = None


class EncodedVectors(Frozen):
    """Vectors as base64 of their bytes, little-endian, row by row."""

    dtype: Precision
    shape: tuple[int, int]
    base64: str


class Embeddings(Frozen):
    """Vectors image by image, in the order in which they were sent; tiles row by row from the upper left.

    `limits`, and `intensities`, which tells how the pixels lie in them, are null for ready-made uint8 tiles, whose
    intensities are not mapped again.
    """

    model: str
    model_id: str
    pool: Pool
    limits: IntensityLimits | None
    intensities: PlateIntensities | None = None
    images: tuple[EmbeddedImage, ...]
    vectors: tuple[tuple[float, ...], ...]
    novelty: tuple[float, ...] | None = Field(
        default=None, description="with novelty=true: one number per row, in standard deviations of training tiles"
    )
    encoded: EncodedVectors | None = Field(default=None, description="instead of `vectors`, with encoding=base64")


def to_npy(array: Array) -> bytes:
    """Return the bytes of an `.npy` file of `array`."""
    if array.dtype.hasobject:
        raise ValueError("an array of objects would be pickled, and no other side reads it")
    return b"".join((_written_header(array.shape, array.dtype.str), np.ascontiguousarray(array).reshape(-1).data))


# Answers have few shapes, and numpy takes longer for the header of a small one than for its numbers.
@lru_cache(maxsize=256)
def _written_header(shape: tuple[int, ...], descr: str) -> bytes:
    buffer = io.BytesIO()
    head = {"descr": descr, "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(buffer, head)
    return buffer.getvalue()


def from_npy(body: bytes) -> Array:
    """Return the array in the bytes of an `.npy` file, as a read-only view in the machine's byte order.

    Raises Malformed for anything else: pickled objects, structures, a header that does not match the length of the
    data.
    """
    start = _header_bytes(body)
    shape, fortran, dtype = (_cached_header if start <= MAX_CACHED_HEADER else _header)(body[:start])
    # Objects would need pickle, which runs code, and structures have no meaning as images.
    if dtype.kind not in "uifb":
        raise Malformed(f"the .npy holds {dtype}; only plain numbers are accepted")
    # The length is checked before anything is allocated, so that a forged shape costs nothing.
    expected = math.prod(shape) * dtype.itemsize
    if len(body) - start != expected:
        raise Malformed(
            f"the .npy header promises {expected} bytes ({dtype} {list(shape)}), {len(body) - start} follow"
        )
    flat: Array = np.frombuffer(body, dtype, offset=start) if expected else np.empty(0, dtype)
    array = _shaped(flat, shape, fortran)
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))


def _shaped(flat: Array, shape: tuple[int, ...], fortran: bool) -> Array:
    try:
        return flat.reshape(shape, order="F" if fortran else "C")
    except ValueError as error:
        # No array has more than 64 axes, or an axis beyond 64 bit beside one of length zero.
        raise Malformed(f"the .npy header has a shape that no array can have: {error}") from error


def _header_bytes(body: bytes) -> int:
    """Return where the data begin, by the length that the header states."""
    width = 2 if body[6:7] == b"\x01" else 4
    stated = int.from_bytes(body[8 : 8 + width], "little")
    return min(8 + width + stated, MAX_HEADER)


def _header(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    readers = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}
    stream = io.BytesIO(head)
    try:
        version = npy_format.read_magic(stream)
        if version not in readers:
            raise ValueError(f"format {version} is not supported")
        shape, fortran, dtype = readers[version](stream)
    except Exception as error:
        # The header is a Python literal, and its parser fails in many ways on a damaged one.
        raise Malformed(f"the body is not an .npy array: {error}") from error
    # True and False are numbers for Python, and no lengths.
    if any(type(n) is not int or n < 0 for n in shape):
        raise Malformed(f"the .npy header has the shape {str(shape)[:_MAX_SHAPE_TEXT]}")
    return shape, fortran, dtype


# Clients send arrays of few shapes again and again, and the parser of Python literals is slow.
_cached_header = lru_cache(maxsize=256)(_header)
