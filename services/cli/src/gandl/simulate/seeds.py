"""Independent streams of random numbers, one a plate and one a well, so that any process can draw any well."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream is for: the first part of its key, so that plate 3's layout and well 3 never share numbers."""

    LAYOUT = 0
    PLATE = 1
    WELL = 2


def stream(seed: int, use: Stream, *key: int) -> np.random.Generator:
    """The generator of one use and place; equal arguments give equal numbers on any machine."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(use), *key)))
