"""Batches of random crops that are cut on the device of the training, from fields that lie there.

One thread of a processor cuts some 10,000 crops of 64 pixels a second, and a GPU trains on more. The crops follow the
rules of `crops`: the same share of usable crops, any position, eight orientations.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from gandl_training.data.crops import MAX_DRAWS, MAX_SATURATED_SHARE, MIN_STDDEV, Crops

MAX_MEMORY_SHARE = 0.25
"""Fields are kept on a device where they take no more than this share of its free memory."""
SEED_RANGE = 2**63
STEP_MULTIPLIER = 0x94D049BB133111EB
SEED_MULTIPLIER = 0xD6E8FEB86659FD93
"""Odd constants keep the streams of neighbouring seeds and steps apart, and apart from those of the step itself."""


@dataclass(frozen=True, kw_only=True)
class DeviceCrops:
    """Batches of crops by step number, as `Crops`, from `pixels` [F, C, H, W] uint8 on a device.

    Batch k is a pure function of (seed, k) and of the kind of device, so a run can stop and resume anywhere.
    """

    crops: Crops
    pixels: Tensor
    fields: Tensor

    @classmethod
    def of(cls, crops: Crops, device: torch.device) -> DeviceCrops:
        """Copy the fields of `crops` to a device, one after another, so that a processor never holds them all."""
        store = crops.store
        pixels = torch.empty(store.fields.shape, dtype=torch.uint8, device=device)
        for i, field in enumerate(store.fields):
            pixels[i] = torch.from_numpy(field.copy())
        store.release()
        numbers = range(len(store.fields)) if crops.fields is None else crops.fields
        return cls(crops=crops, pixels=pixels, fields=torch.tensor(list(numbers), device=device))

    @staticmethod
    def fit(crops: Crops, device: torch.device) -> bool:
        """Return whether `device` is a GPU that can keep the fields beside the networks."""
        if device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(device)
        return crops.store.fields.nbytes <= MAX_MEMORY_SHARE * free

    def at(self, step: int) -> Tensor:
        """Return the batch of a step, [batch / world_size, C, size, size] uint8 on the device."""
        crops, device = self.crops, self.pixels.device
        mixed = (crops.seed * SEED_MULTIPLIER + (step + 1) * STEP_MULTIPLIER) % SEED_RANGE
        rng = torch.Generator(device).manual_seed(mixed)
        # Every process draws for the whole batch, so that the number of processes does not change the crops.
        positions = torch.rand(crops.batch, MAX_DRAWS, 3, generator=rng, dtype=torch.float64, device=device)
        turns = torch.rand(crops.batch, 3, generator=rng, device=device) < 0.5
        share = crops.batch // crops.world_size
        own = slice(crops.rank * share, (crops.rank + 1) * share)
        return _turned(_first_usable(self._cut(positions[own])), turns[own])

    def stream(self, first: int) -> Generator[Tensor]:
        """Yield the batches from step `first` on."""
        while True:
            yield self.at(first)
            first += 1

    def _cut(self, positions: Tensor) -> Tensor:
        """Return the crops [N, D, C, S, S] at positions [N, D, 3] in 0..1: field, row and column."""
        size = self.crops.size
        height, width = self.pixels.shape[2:]
        counts = (len(self.fields), height - size + 1, width - size + 1)
        field, y, x = ((positions[..., i] * n).long().clamp(max=n - 1) for i, n in enumerate(counts))
        edge = torch.arange(size, device=self.pixels.device)
        rows, columns = (y[..., None] + edge)[..., None, :, None], (x[..., None] + edge)[..., None, None, :]
        channels = torch.arange(self.pixels.shape[1], device=self.pixels.device)[:, None, None]
        return self.pixels[self.fields[field][..., None, None, None], channels, rows, columns]


def _first_usable(draws: Tensor) -> Tensor:
    """Return the first crop of each row [N, D, C, S, S] that `crops.is_usable` takes, or the last one."""
    values = draws.flatten(3).float()
    saturated = (values == 255).float().mean(3).amax(2) > MAX_SATURATED_SHARE
    usable = ~saturated & (values.std(3, correction=0).amax(2) >= MIN_STDDEV)
    usable[:, -1] = True
    return draws[torch.arange(len(draws), device=draws.device), usable.float().argmax(1)]


def _turned(crops: Tensor, turns: Tensor) -> Tensor:
    """Return crops [N, C, S, S] in the orientation that three yes-or-no choices [N, 3] give to each."""
    # A transposition and two mirror images make the eight orientations of a square.
    transposed, upside_down, mirrored = turns[:, :, None, None, None].unbind(1)
    crops = torch.where(transposed, crops.mT, crops)
    crops = torch.where(upside_down, crops.flip(2), crops)
    return torch.where(mirrored, crops.flip(3), crops)
