"""The evaluation along a run, besides its losses: distances to the real tiles, overfitting, and the control probe.

Nothing here feeds back into training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gandl_training.data.crops import Crops
from gandl_training.data.field_store import FieldStore, Uint8
from gandl_training.evaluation.control_tiles import ControlTiles, probed_cell_lines
from gandl_training.evaluation.distances import frechet_distance, kernel_distance, tile_features
from gandl_training.evaluation.probe import ProbeResult, embed_tiles, probe, probe_baselines
from gandl_training.networks.stylegan2 import Discriminator, Generator

TILES = 512
"""How many real and how many generated tiles the distances compare."""
BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Evaluator:
    """Fixed real tiles, tiles of held-out wells, and the control tiles of each cell line that can be probed.

    `cell_lines_without_probe` have too few control wells; there are none where nothing is a control.
    """

    real: Uint8
    real_features: NDArray[np.float64]
    held_out: Uint8 | None
    controls: Mapping[str, ControlTiles]
    cell_lines_without_probe: tuple[str, ...]

    @classmethod
    def from_crops(cls, crops: Crops, held_out: Sequence[int]) -> Evaluator:
        """Draw the tiles once, so that the values along a run compare. `held_out` are the fields of held-out wells."""
        many = replace(crops, batch=TILES, rank=0, world_size=1)
        real = many.at(0)
        controls = probed_cell_lines(crops.store, crops.size)
        probed = crops.store.index.cell_lines if crops.store.index.has_controls else ()
        return cls(
            real=real,
            real_features=tile_features(real),
            held_out=replace(many, fields=tuple(held_out)).at(0) if held_out else None,
            controls=controls,
            cell_lines_without_probe=tuple(c for c in probed if c not in controls),
        )

    def evaluate(self, generator: Generator | None, discriminator: Discriminator) -> dict[str, float]:
        """Return, by name, distances, the mean scores of training and held-out tiles, and the probe of each cell line.

        Without a generator there are neither distances nor scores. A probe has no Z′ while the held-out positive
        controls score below the negative ones; its name is then absent.
        """
        return (self._game(generator, discriminator) if generator else {}) | self._probes(discriminator)

    def _game(self, generator: Generator, discriminator: Discriminator) -> dict[str, float]:
        # Always the same latents, so that differences along a run come from the weights.
        generated = tile_features(generate_tiles(generator, TILES, seed=1))
        values = {
            "quality/frechet": frechet_distance(self.real_features, generated),
            "quality/kernel": kernel_distance(self.real_features, generated),
            "quality/score_training": mean_score(discriminator, self.real),
        }
        if self.held_out is not None:
            values["quality/score_held_out"] = mean_score(discriminator, self.held_out)
        return values

    def _probes(self, discriminator: Discriminator) -> dict[str, float]:
        values = {}
        for cell_line, controls in self.controls.items():
            result = probe(embed_tiles(partial(dense_features, discriminator), controls.tiles), controls)
            values[f"probe/accuracy_{cell_line}"] = result.accuracy
            if result.z_prime is not None:
                values[f"probe/z_prime_{cell_line}"] = result.z_prime
        return values

    def baselines(self, untrained: Discriminator) -> dict[str, dict[str, ProbeResult]]:
        """Return the probes of baselines by cell line and name: a run has to surpass them to be of use.

        `untrained` is the discriminator of the run before its first step.
        """
        features = partial(dense_features, untrained)
        return {
            cell_line: probe_baselines(controls) | {"untrained": probe(embed_tiles(features, controls.tiles), controls)}
            for cell_line, controls in self.controls.items()
        }


def split_wells(store: FieldStore, share: float, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the fields to train on, and the fields of the held-out wells.

    `share` of the wells is held out, and at least one well where the share is above 0. A well is never split, because
    its fields are not independent. Images of single cells are held out one by one.
    """
    keys = [(r.plate, r.well or r.site) for r in store.index.records]
    wells = list(dict.fromkeys(keys))
    count = min(max(round(share * len(wells)), 1), len(wells) - 1) if share else 0
    # Drawn by the seed of the run, so that a run that is resumed holds out the same wells.
    held_out = {wells[i] for i in np.random.default_rng(seed).permutation(len(wells))[:count]}
    return (
        tuple(i for i, key in enumerate(keys) if key not in held_out),
        tuple(i for i, key in enumerate(keys) if key in held_out),
    )


@torch.no_grad()
def generate_tiles(generator: Generator, images: int, *, seed: int, batch: int = BATCH) -> Uint8:
    """Return tiles [N, C, R, R] of a generator, from latents and noise of `seed`."""
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
def dense_features(discriminator: Discriminator, tiles: Uint8) -> NDArray[np.float32]:
    """Return the dense features [N, 512] of tiles; a probe along a run measures them, the feature layer `fc`."""
    values: NDArray[np.float32] = discriminator.features(_scaled(discriminator, tiles)).cpu().numpy()
    return values


@torch.no_grad()
def mean_score(discriminator: Discriminator, tiles: Uint8, batch: int = BATCH) -> float:
    """Return the mean realness score of tiles [N, C, R, R]."""
    scores = [discriminator(_scaled(discriminator, tiles[i : i + batch])) for i in range(0, len(tiles), batch)]
    return float(torch.cat(scores).mean())


def _scaled(discriminator: Discriminator, tiles: Uint8) -> Tensor:
    device = next(discriminator.parameters()).device
    return torch.from_numpy(np.ascontiguousarray(tiles)).to(device).float().div(127.5).sub(1)
