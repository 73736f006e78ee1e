"""Random numbers that depend on the seed and on what they are drawn for only, not on the other compounds."""

from __future__ import annotations

import zlib

import numpy as np

from gandl_science.arrays import Float


def derive_generator(seed: int, *arrays: Float) -> np.random.Generator:
    """Return a generator that depends on the seed and the content of these arrays only."""
    return np.random.default_rng([seed, zlib.crc32(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays))])
