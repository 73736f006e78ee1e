"""The random numbers of one step: a pure function of (seed, step), the same for one process and for several."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
MIX_MULTIPLIER = 0xBF58476D1CE4E5B9
"""Two odd constants of SplitMix64 (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators"): its
increment, 2^64 divided by the golden ratio, and its first mixing multiplier."""
SEED_RANGE = 2**63
"""Seeds of torch's generators are signed 64-bit numbers."""


@dataclass(frozen=True)
class StepRandom:
    """The random numbers of a step. They are drawn for the global batch, and each process gets its contiguous share.

    The first axis of every shape is the images of this process.
    """

    rng: torch.Generator
    rank: int = 0
    world_size: int = 1

    @classmethod
    def of_step(cls, seed: int, step: int, device: torch.device, rank: int = 0, world_size: int = 1) -> StepRandom:
        """Return the stream of a step, seeded by a mix of `seed` and `step`."""
        # Multiples of two different odd constants keep the streams of neighbouring seeds and steps apart.
        mixed = (seed * GOLDEN_GAMMA + (step + 1) * MIX_MULTIPLIER) % SEED_RANGE
        return cls(torch.Generator(device).manual_seed(mixed), rank, world_size)

    def normal(self, images: int, *shape: int) -> Tensor:
        """Draw standard normal values, [images, *shape]."""
        values = torch.randn(images * self.world_size, *shape, generator=self.rng, device=self.rng.device)
        return self._share(values, images)

    def uniform(self, images: int, *shape: int) -> Tensor:
        """Draw uniform values in 0..1, [images, *shape]."""
        values = torch.rand(images * self.world_size, *shape, generator=self.rng, device=self.rng.device)
        return self._share(values, images)

    def _share(self, values: Tensor, images: int) -> Tensor:
        return values[self.rank * images : (self.rank + 1) * images]
