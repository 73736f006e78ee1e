"""Tiles for featurizers: noise of two channels whose levels differ between tiles."""

from __future__ import annotations

import numpy as np
from gandl.featurizers.tiles import TileForm
from gandl_shared.models import Channel, ModelCard
from numpy.typing import NDArray

FORM = TileForm(channels=(Channel(name="GFP"), Channel(name="DNA")), size=16)


def noise(count: int, seed: int = 1) -> NDArray[np.uint8]:
    """Return tiles [count, 2, 16, 16]."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(20, 200, (count, 2, 1, 1))
    return (levels + rng.integers(0, 50, (count, 2, 16, 16))).astype(np.uint8)


def sample(_card: ModelCard, count: int) -> NDArray[np.uint8]:
    """Return at most 40 tiles."""
    return noise(min(count, 40))
