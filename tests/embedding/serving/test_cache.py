"""Vectors are kept by what their tiles and their model are, within a limit."""

from __future__ import annotations

import numpy as np
from gandl_embedding.serving.cache import VectorCache, key_of


def vectors(value: float) -> np.ndarray:
    return np.full((2, 4), value, np.float32)


def test_the_vectors_that_were_asked_for_last_are_kept() -> None:
    cache = VectorCache(2 * vectors(0).nbytes)
    cache.add(b"a", vectors(1))
    cache.add(b"b", vectors(2))
    assert cache.get(b"a") is not None
    cache.add(b"c", vectors(3))
    assert cache.get(b"b") is None
    again = cache.get(b"a")
    assert again is not None
    assert np.array_equal(again, vectors(1))
    assert not again.flags.writeable
    cache.add(b"large", np.zeros((100, 4), np.float32))
    assert cache.get(b"large") is None
    assert cache.get(b"c") is not None


def test_no_room_is_no_cache() -> None:
    assert not VectorCache(0)
    assert VectorCache(1)


def test_a_key_has_the_model_the_shape_and_every_pixel() -> None:
    tiles = np.random.default_rng(2100).integers(0, 256, (4, 2, 8, 8), dtype=np.uint8)
    other = tiles.copy()
    other[-1, -1, -1, -1] ^= 1
    keys = {
        key_of("a", "cpu.float32", tiles),
        key_of("b", "cpu.float32", tiles),
        key_of("a", "openvino.bfloat16", tiles),
        key_of("a", "cpu.float32", other),
        key_of("a", "cpu.float32", tiles.reshape(2, 4, 8, 8)),
    }
    assert len(keys) == 5
    assert key_of("a", "cpu", tiles[:, ::-1]) == key_of("a", "cpu", np.ascontiguousarray(tiles[:, ::-1]))
