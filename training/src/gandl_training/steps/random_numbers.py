"""Random numbers of one step: a pure function of (seed, step), the same whether one process draws them or several."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draws:
    """Draws for the global batch and hands out this process's contiguous share of it. All shapes start with images."""

    rng: torch.Generator
    rank: int = 0
    world: int = 1

    @classmethod
    def of(cls, seed: int, step: int, device: torch.device, rank: int = 0, world: int = 1) -> Draws:
        """A stream of its own for each step: a 64-bit mix of seed and step seeds the generator."""
        mixed = (seed * 0x9E3779B97F4A7C15 + (step + 1) * 0xBF58476D1CE4E5B9) % 2**63
        return cls(torch.Generator(device).manual_seed(mixed), rank, world)

    def normal(self, images: int, *shape: int) -> Tensor:
        """Standard normal values [images, *shape]."""
        values = torch.randn(images * self.world, *shape, generator=self.rng, device=self.rng.device)
        return self._share(values, images)

    def uniform(self, images: int, *shape: int) -> Tensor:
        """Uniform values in 0..1, [images, *shape]."""
        values = torch.rand(images * self.world, *shape, generator=self.rng, device=self.rng.device)
        return self._share(values, images)

    def _share(self, values: Tensor, images: int) -> Tensor:
        return values[self.rank * images : (self.rank + 1) * images]
