"""Distances between real and generated tiles without labels and without weights trained elsewhere.

Features are those of a fixed, randomly initialised network, which Naeem et al. 2020 ("Reliable Fidelity and Diversity
Metrics") found to suit images far from ImageNet. Values compare runs on the same data only.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float64]
WIDTHS = (32, 64, 128)
SEED = 20200604


class RandomFeatures(nn.Module):
    """uint8 tiles [N, C, S, S] → [N, 256]: three random strided convolutions, then mean and deviation of each map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(SEED)
        layers: list[nn.Module] = []
        for inputs, outputs in zip((channels, *WIDTHS[:-1]), WIDTHS, strict=True):
            layer = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
            with torch.no_grad():
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=rng) * (2 / (inputs * 16)) ** 0.5)
            layers += [layer, nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    @torch.no_grad()
    def forward(self, tiles: Tensor) -> Tensor:
        maps = self.layers(tiles.float() / 255)
        return torch.cat([maps.mean((2, 3)), maps.std((2, 3))], dim=1)


def tile_features(tiles: NDArray[np.uint8], batch: int = 128) -> Floats:
    """Random features of tiles [N, C, S, S], [N, 256], on the CPU."""
    net = RandomFeatures(tiles.shape[1])
    parts = [net(torch.from_numpy(tiles[i : i + batch])).numpy() for i in range(0, len(tiles), batch)]
    return np.concatenate(parts).astype(np.float64)


def frechet_distance(a: Floats, b: Floats) -> float:
    """‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2(Σ_a Σ_b)^½) between Gaussians fitted to rows (Heusel et al. 2017)."""
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = _root(covariance_a)
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariance_b @ root), 0)).sum()
    means = np.square(a.mean(0) - b.mean(0)).sum()
    return float(means + np.trace(covariance_a) + np.trace(covariance_b) - 2 * cross)


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root


def kernel_distance(a: Floats, b: Floats) -> float:
    """Unbiased squared maximum mean discrepancy under the kernel (x·y/d + 1)³ (Bińkowski et al. 2018)."""
    d = a.shape[1]
    same_a, same_b, cross = ((x @ y.T / d + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    within = (same_a.sum() - np.trace(same_a)) / (n * (n - 1)) + (same_b.sum() - np.trace(same_b)) / (m * (m - 1))
    return float(within - 2 * cross.mean())
