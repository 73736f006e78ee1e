"""Independent streams of random numbers, one per plate and one per well, so that any process can draw any well."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """The use of a stream, which begins its key, so that the layout of plate 3 and well 3 never share numbers."""

    LAYOUT = 0
    PLATE = 1
    WELL = 2


def stream(seed: int, use: Stream, *key: int) -> np.random.Generator:
    """Return the generator of one use and key; equal arguments give equal numbers on any machine."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(use), *key)))
