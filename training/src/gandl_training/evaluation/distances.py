"""Distances between real and generated tiles without labels and without weights trained elsewhere.

The features are those of a fixed network with random weights, which suit images that are far from ImageNet (Naeem et
al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models"). The values compare only runs on the same
data. They are not the published FID and KID, which use the features of an Inception network.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float64]
WIDTHS = (32, 64, 128)
SEED = 20200604
"""The seed of the random weights, fixed so that values of all runs compare."""


class RandomFeatures(nn.Module):
    """Random features of uint8 tiles, [N, C, S, S] → [N, 256]: three random strided convolutions, then the mean and the
    standard deviation of each map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(SEED)
        layers: list[nn.Module] = []
        # He et al. 2015: with variance 2 / inputs the activations of a random network neither vanish nor explode.
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
    """Return the random features [N, 256] of tiles [N, C, S, S], computed on the CPU."""
    net = RandomFeatures(tiles.shape[1])
    parts = [net(torch.from_numpy(tiles[i : i + batch])).numpy() for i in range(0, len(tiles), batch)]
    return np.concatenate(parts).astype(np.float64)


def frechet_distance(a: Floats, b: Floats) -> float:
    """Return the Fréchet distance between Gaussians fitted to the rows of `a` and `b` (FID, Heusel et al. 2017).

    It is ‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2(Σ_a Σ_b)^½).
    """
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # (Σ_a Σ_b)^½ has the trace of (Σ_a^½ Σ_b Σ_a^½)^½, which is symmetric, so its eigenvalues are real and are not
    # negative but for rounding.
    root = _square_root(covariance_a)
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariance_b @ root), 0)).sum()
    means = np.square(a.mean(0) - b.mean(0)).sum()
    return float(means + np.trace(covariance_a) + np.trace(covariance_b) - 2 * cross)


def _square_root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root


def kernel_distance(a: Floats, b: Floats) -> float:
    """Return the squared maximum mean discrepancy under the kernel (x·y/d + 1)³ (KID, Bińkowski et al. 2018).

    The estimate is unbiased, so it can be slightly below 0.
    """
    d = a.shape[1]
    same_a, same_b, cross = ((x @ y.T / d + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    # Without the diagonals: a pair of a tile with itself would bias the estimate upwards.
    within = (same_a.sum() - np.trace(same_a)) / (n * (n - 1)) + (same_b.sum() - np.trace(same_b)) / (m * (m - 1))
    return float(within - 2 * cross.mean())
