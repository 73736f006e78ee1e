"""The random numbers of one step: a pure function of (seed, step), the same for one process and for several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
MIX_MULTIPLIER = 0xBF58476D1CE4E5B9
"""Two odd constants of SplitMix64 (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators"): its
increment, 2^64 divided by the golden ratio, and its first mixing multiplier."""
SEED_RANGE = 2**63
"""Seeds of torch's generators are signed 64-bit numbers."""


class RandomNumbers(Protocol):
    """Where a step gets its random numbers from. The first axis of every shape is the images of this process."""

    def normal(self, images: int, *shape: int) -> Tensor:
        """Return standard normal values, [images, *shape]."""

    def uniform(self, images: int, *shape: int) -> Tensor:
        """Return uniform values in 0..1, [images, *shape]."""


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


class RandomTape:
    """The random numbers of one step in buffers that keep their place in memory, as a CUDA graph needs them.

    The first pass through a step makes the buffers, in the order in which the step asks for them. `refill` writes the
    numbers of another step into them, which are those that `StepRandom` returns for that step. One process only.
    """

    def __init__(self, random: StepRandom) -> None:
        self.random = random
        self.buffers: list[tuple[Callable[..., Tensor], Tensor]] = []
        self.position = 0

    def normal(self, images: int, *shape: int) -> Tensor:
        """Return the next buffer, standard normal values [images, *shape]."""
        return self._next(torch.randn, (images, *shape))

    def uniform(self, images: int, *shape: int) -> Tensor:
        """Return the next buffer, uniform values in 0..1, [images, *shape]."""
        return self._next(torch.rand, (images, *shape))

    def refill(self, random: StepRandom) -> None:
        """Write the numbers of the step of `random` into the buffers, and begin with the first one again."""
        self.random, self.position = random, 0
        for draw, buffer in self.buffers:
            draw(*buffer.shape, generator=random.rng, out=buffer)

    def _next(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        if self.position == len(self.buffers):
            rng = self.random.rng
            self.buffers.append((draw, draw(*shape, generator=rng, device=rng.device)))
        kind, buffer = self.buffers[self.position]
        if kind is not draw or buffer.shape != shape:
            raise RuntimeError(
                f"the step asks for {draw.__name__} {shape} where it asked for {tuple(buffer.shape)} before"
            )
        self.position += 1
        return buffer
