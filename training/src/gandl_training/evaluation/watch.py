"""How a run is doing, without its losses: distances to the real tiles, overfitting, and the control probe.

Nothing here feeds back into training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gandl_training.data.dataset import Crops, FieldStore, Uint8
from gandl_training.evaluation.distances import frechet_distance, kernel_distance, tile_features
from gandl_training.evaluation.probe import ControlTiles, Floats, controls_by_line, embed, probe
from gandl_training.networks.stylegan2 import Discriminator, Generator

TILES = 512


@dataclass(frozen=True)
class Watch:
    """Fixed real tiles, the controls of each cell line, and fields held out of training; `unwatched` are the cell lines
    with too few control wells for a probe."""

    real: Uint8
    real_features: Floats
    held_out: Uint8 | None
    controls: dict[str, ControlTiles]
    unwatched: tuple[str, ...]

    @classmethod
    def of(cls, crops: Crops, held_out: Sequence[int]) -> Watch:
        """Draw the tiles once, so that values along a run are comparable."""
        many = replace(crops, batch=TILES, rank=0, world=1)
        real = many.at(0)
        other = replace(many, fields=tuple(held_out)).at(0) if held_out else None
        controls = controls_by_line(crops.store, crops.size)
        lines = dict.fromkeys(r.cell_line for r in crops.store.index.records)
        return cls(real, tile_features(real), other, controls, tuple(line for line in lines if line not in controls))

    def look(self, generator: Generator, discriminator: Discriminator) -> dict[str, float]:
        """Distances, mean scores of training and held-out tiles, and the probe of each cell line, by name."""
        fake = tile_features(generate(generator, TILES, seed=1))
        values = {
            "quality/frechet": frechet_distance(self.real_features, fake),
            "quality/kernel": kernel_distance(self.real_features, fake),
            "quality/score_training": _score(discriminator, self.real),
        }
        if self.held_out is not None:
            values["quality/score_held_out"] = _score(discriminator, self.held_out)
        for line, controls in self.controls.items():
            result = probe(embed(lambda tiles: features(discriminator, tiles), controls.tiles), controls)
            values |= {f"probe/accuracy_{line}": result.accuracy, f"probe/z_prime_{line}": result.z_prime}
        return values


def split_wells(store: FieldStore, share: float, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(fields to train on, fields of the held-out wells): `share` of the wells, at least one where share > 0."""
    keys = [(r.plate, r.well) for r in store.index.records]
    wells = list(dict.fromkeys(keys))
    count = min(max(round(share * len(wells)), 1), len(wells) - 1) if share else 0
    chosen = {wells[i] for i in np.random.default_rng(seed).permutation(len(wells))[:count]}
    held = tuple(i for i, key in enumerate(keys) if key in chosen)
    return tuple(i for i, key in enumerate(keys) if key not in chosen), held


@torch.no_grad()
def generate(generator: Generator, images: int, *, seed: int, batch: int = 64) -> NDArray[np.uint8]:
    """Tiles [N, C, R, R] uint8 of a generator, from latents and noise of `seed`."""
    device = next(generator.parameters()).device
    rng = torch.Generator(device).manual_seed(seed)
    parts = []
    for first in range(0, images, batch):
        n = min(batch, images - first)
        z = torch.randn(n, generator.config.style, generator=rng, device=device)
        noise = [torch.randn(n, 1, e, e, generator=rng, device=device) for e in generator.noise_edges]
        tiles = generator(z, noise).float().add(1).mul(127.5).round().clamp(0, 255)
        parts.append(tiles.to(torch.uint8).cpu().numpy())
    return np.concatenate(parts)


@torch.no_grad()
def features(discriminator: Discriminator, tiles: Uint8) -> NDArray[np.floating]:
    """The dense features of uint8 tiles, [N, 512]."""
    values: NDArray[np.floating] = discriminator.features(_scaled(discriminator, tiles)).cpu().numpy()
    return values


@torch.no_grad()
def _score(discriminator: Discriminator, tiles: Uint8, batch: int = 64) -> float:
    scores = [discriminator(_scaled(discriminator, tiles[i : i + batch])) for i in range(0, len(tiles), batch)]
    return float(torch.cat(scores).mean())


def _scaled(discriminator: Discriminator, tiles: Uint8) -> Tensor:
    device = next(discriminator.parameters()).device
    return torch.from_numpy(np.ascontiguousarray(tiles)).to(device).float().div(127.5).sub(1)
