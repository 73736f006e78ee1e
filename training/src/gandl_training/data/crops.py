"""Batches of random crops of the packed fields.

Training reads crops from whole fields rather than from tiles: a crop at any position, in any of eight orientations,
gives far more variety on a small plate, and costs a copy of a few kilobytes.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandl_training.data.field_store import FieldStore, Uint8

MIN_STDDEV = 2.0
"""A crop is blank if no channel has a standard deviation of this many of 255 grey levels."""
MAX_SATURATED_SHARE = 0.25
"""A crop is not usable if a larger share of the pixels of a channel is saturated."""
MAX_DRAWS = 8
"""How many positions are drawn at most for one usable crop."""


def is_usable(crop: Uint8) -> bool:
    """True for a crop [C, S, S] that is not blank and has no channel of which a quarter or more is saturated."""
    saturated = (crop == 255).mean(axis=(1, 2)).max() > MAX_SATURATED_SHARE
    return not saturated and bool(crop.std(axis=(1, 2)).max() >= MIN_STDDEV)


def draw_crop(store: FieldStore, fields: NDArray[np.intp], size: int, rng: np.random.Generator) -> Uint8:
    """Return one random crop [C, size, size] of the `fields`, in one of eight orientations.

    Up to 8 positions are drawn until a crop is usable; the last one is returned in any case.
    """
    height, width = store.fields.shape[2:]
    for _ in range(MAX_DRAWS):
        f = fields[rng.integers(len(fields))]
        y, x = rng.integers(height - size + 1), rng.integers(width - size + 1)
        crop = store.fields[f, :, y : y + size, x : x + size]
        if is_usable(crop):
            break
    # Four rotations with and without a mirror image are the eight orientations of a square.
    turned: Uint8 = np.rot90(crop, int(rng.integers(4)), axes=(1, 2))
    return turned[:, :, ::-1] if rng.integers(2) else turned


@dataclass(frozen=True, kw_only=True)
class Crops:
    """Batches of crops by step number. Batch k is a pure function of (seed, k), so a run can stop and resume anywhere.

    `fields` are the indices of the fields that crops are drawn from (None: all). Of several processes, each reads its
    contiguous share of the same global batch.
    """

    store: FieldStore
    size: int
    batch: int
    seed: int
    rank: int = 0
    world_size: int = 1
    fields: tuple[int, ...] | None = None

    def at(self, step: int) -> Uint8:
        """Return the batch of a step, [batch / world_size, C, size, size]."""
        # Philox is a counter-based generator: each (seed, step) is a stream of its own (Salmon et al. 2011).
        rng = np.random.Generator(np.random.Philox(key=[self.seed, step]))
        fields = np.arange(len(self.store.fields)) if self.fields is None else np.array(self.fields)
        # Every process draws the whole batch, so that the number of processes does not change the crops.
        crops = [draw_crop(self.store, fields, self.size, rng) for _ in range(self.batch)]
        share = self.batch // self.world_size
        return np.stack(crops[self.rank * share : (self.rank + 1) * share])

    def stream(self, first: int) -> Generator[Uint8]:
        """Yield the batches from step `first` on; a thread prepares the next batch while the caller uses this one."""
        with ThreadPoolExecutor(1, thread_name_prefix="crops") as pool:
            # One batch ahead is enough: a step takes far longer than its crops.
            ahead = pool.submit(self.at, first)
            step = first
            while True:
                step += 1
                current, ahead = ahead, pool.submit(self._release_then_read, step)
                yield current.result()

    def _release_then_read(self, step: int) -> Uint8:
        self.store.release()
        return self.at(step)
