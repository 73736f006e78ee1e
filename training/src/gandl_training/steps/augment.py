"""Adaptive discriminator augmentation for any number of channels (ADA, Karras et al. 2020).

Every image that the discriminator sees, real or generated, passes through the same random transforms, each applied
with probability p. p rises while the discriminator is surer of the training images than `target`, and falls otherwise.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gandl_training.config import AugmentConfig
from gandl_training.steps.random_numbers import Draws

SHIFT = 0.125
SCALE_STDDEV = 0.2
GAIN_STDDEV = 0.2
OFFSET_STDDEV = 0.1
NOISE_STDDEV = 0.1
CUTOUT = 0.5


def augment(images: Tensor, p: Tensor, draws: Draws) -> Tensor:
    """Transform [N, C, S, S] in −1..1 (−1 is black). Differentiable in `images`; at p = 0 the same."""
    if float(p) == 0:
        return images
    return cut_out(add_noise(change_intensity(move(images, p, draws), p, draws), p, draws), p, draws)


def move(images: Tensor, p: Tensor, draws: Draws) -> Tensor:
    """Flip, rotate by quarter turns, shift by whole pixels up to an eighth of the edge, scale isotropically.

    One resampling does them all; without scaling every target pixel falls on a source pixel, so nothing is smoothed.
    """
    n, size = images.shape[0], images.shape[-1]
    gate = (draws.uniform(n, 4) < p).to(images)
    u = draws.uniform(n, 4)
    mirror = 1 - 2 * gate[:, 0] * (u[:, 0] < 0.5)
    quarter = gate[:, 1] * (4 * u[:, 1]).floor() * (torch.pi / 2)
    shift = gate[:, 2:3] * ((2 * u[:, 2:4] - 1) * SHIFT * size).round() * (2 / size)
    scale = torch.exp2(-gate[:, 3] * draws.normal(n) * SCALE_STDDEV)
    cos, sin = scale * quarter.cos(), scale * quarter.sin()
    theta = torch.stack(
        [torch.stack([cos * mirror, -sin, shift[:, 0]], 1), torch.stack([sin * mirror, cos, shift[:, 1]], 1)], 1
    )
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def change_intensity(images: Tensor, p: Tensor, draws: Draws) -> Tensor:
    """A gain (log-normal) and an offset (normal) for each channel alone, over black: stains vary independently."""
    n, channels = images.shape[:2]
    gate = (draws.uniform(n, 2, 1) < p).to(images)
    gain = torch.exp2(gate[:, 0] * draws.normal(n, channels) * GAIN_STDDEV)
    offset = gate[:, 1] * draws.normal(n, channels) * OFFSET_STDDEV
    return (images + 1) * gain[:, :, None, None] - 1 + offset[:, :, None, None]


def add_noise(images: Tensor, p: Tensor, draws: Draws) -> Tensor:
    """Gaussian noise of a half-normal strength."""
    n = images.shape[0]
    strength = (draws.uniform(n) < p) * draws.normal(n).abs() * NOISE_STDDEV
    return images + strength[:, None, None, None] * draws.normal(n, *images.shape[1:])


def cut_out(images: Tensor, p: Tensor, draws: Draws) -> Tensor:
    """Blacken a square of half the edge around a random centre."""
    n, size = images.shape[0], images.shape[-1]
    gate = draws.uniform(n) < p
    centre = draws.uniform(n, 2)
    at = (torch.arange(size, device=images.device) + 0.5) / size
    inside = (at[None, None] - centre[:, :, None]).abs() < CUTOUT / 2
    hole = gate[:, None, None] & inside[:, 0, :, None] & inside[:, 1, None, :]
    return torch.where(hole[:, None], images.new_tensor(-1.0), images)


def adapted(p: Tensor, sign: Tensor, config: AugmentConfig, images: int) -> Tensor:
    """The next p: a fixed step up where the mean sign of real scores is above the target, down where below.

    The step is images / (1000 · speed_kimg), so p needs `speed_kimg` thousand images from 0 to 1; p stays in 0..most.
    """
    moved = p + (sign - config.target).sign() * images / (1000 * config.speed_kimg)
    return moved.clamp(0, config.most)
