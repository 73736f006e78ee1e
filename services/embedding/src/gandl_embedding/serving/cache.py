"""Vectors of tiles that were embedded before, by a hash of the tiles and of the model."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]


class VectorCache:
    """The vectors of the requests that were asked for last, up to `max_bytes` of them; 0 keeps none."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._vectors: OrderedDict[bytes, Float32] = OrderedDict()

    def __bool__(self) -> bool:
        return self._max_bytes > 0

    def get(self, key: bytes) -> Float32 | None:
        """Return the vectors of a key, or None."""
        vectors = self._vectors.get(key)
        if vectors is not None:
            self._vectors.move_to_end(key)
        return vectors

    def add(self, key: bytes, vectors: Float32) -> None:
        """Keep the vectors of a key, and drop those that were not asked for longest."""
        if key in self._vectors or vectors.nbytes > self._max_bytes:
            return
        # A view would keep the whole run alive in which the vectors were computed.
        own = vectors.copy()
        own.flags.writeable = False
        self._vectors[key] = own
        self._bytes += own.nbytes
        while self._bytes > self._max_bytes:
            self._bytes -= self._vectors.popitem(last=False)[1].nbytes


def key_of(model_id: str, numerics: str, tiles: Uint8) -> bytes:
    """Return the identity of the vectors of tiles [N, C, size, size] by the model of this SHA-256 and by a code of
    numerics."""
    digest = hashlib.blake2b(f"{model_id} {numerics} {tiles.shape}".encode(), digest_size=32)
    digest.update(np.ascontiguousarray(tiles).data)
    return digest.digest()
