"""Adaptive discriminator augmentation for any number of channels (ADA, Karras et al. 2020).

Every image that the discriminator gets, real or generated, passes through the same random transforms. Each transform is
applied with probability p. p rises while the mean sign of the scores of training images is above `target`, and falls
otherwise. The paper is "Training Generative Adversarial Networks with Limited Data".
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gandl_training.config import AugmentConfig, TransformConfig
from gandl_training.steps.random_numbers import RandomNumbers

ADA = TransformConfig()
"""The transforms of adaptive augmentation."""

VIEW_PROBABILITY = 0.8
"""The probability of each transform in a view."""


def augment(images: Tensor, p: Tensor, random: RandomNumbers, strength: TransformConfig = ADA) -> Tensor:
    """Transform images [N, C, S, S] in −1..1 (−1 is black); gradients pass through. At p = 0 nothing changes."""
    # Reading p from a GPU would wait for the step before; there the transforms run, and change nothing at p = 0.
    if p.device.type == "cpu" and float(p) == 0:
        return images
    for transform in (move, change_intensity, add_noise, cut_out):
        images = transform(images, p, random, strength)
    return images


def view(images: Tensor, random: RandomNumbers, strength: TransformConfig) -> Tensor:
    """Return a random view of each image [N, C, S, S] for the contrastive term: each transform acts on most of them."""
    return augment(images, torch.full((), VIEW_PROBABILITY, device=images.device), random, strength)


def move(images: Tensor, p: Tensor, random: RandomNumbers, strength: TransformConfig = ADA) -> Tensor:
    """Mirror, rotate by quarter turns or any angle, shift by whole pixels, and scale isotropically.

    One resampling does them all. Without scaling and other angles, every target pixel is a source pixel, so nothing is
    smoothed.
    """
    n, size = images.shape[0], images.shape[-1]
    # A gate of 0 leaves a transform out of an image; the numbers for it are drawn all the same, so that the stream of
    # random numbers does not depend on p.
    gate = (random.uniform(n, 4) < p).to(images)
    u = random.uniform(n, 4)
    mirror = 1 - 2 * gate[:, 0] * (u[:, 0] < 0.5)
    turns = 4 * u[:, 1] if strength.any_angle else (4 * u[:, 1]).floor()
    angle = gate[:, 1] * turns * (torch.pi / 2)
    shift = gate[:, 2:3] * ((2 * u[:, 2:4] - 1) * strength.shift * size).round() * (2 / size)
    scale = torch.exp2(-gate[:, 3] * random.normal(n) * strength.scale)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    # `affine_grid` measures in units of half an edge and maps each target pixel to its source.
    theta = torch.stack(
        [torch.stack([cos * mirror, -sin, shift[:, 0]], 1), torch.stack([sin * mirror, cos, shift[:, 1]], 1)], 1
    )
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def change_intensity(images: Tensor, p: Tensor, random: RandomNumbers, strength: TransformConfig = ADA) -> Tensor:
    """Multiply each channel by a log-normal gain over black, and add a normal offset to it.

    Each channel has its own gain and offset, because stains vary independently of each other.
    """
    n, channels = images.shape[:2]
    gate = (random.uniform(n, 2, 1) < p).to(images)
    # Black is −1, so images are multiplied after adding 1: a gain must not change the background.
    gain = torch.exp2(gate[:, 0] * random.normal(n, channels) * strength.gain)
    offset = gate[:, 1] * random.normal(n, channels) * strength.offset
    return (images + 1) * gain[:, :, None, None] - 1 + offset[:, :, None, None]


def add_noise(images: Tensor, p: Tensor, random: RandomNumbers, strength: TransformConfig = ADA) -> Tensor:
    """Add Gaussian noise, whose standard deviation is half-normal over images."""
    n = images.shape[0]
    deviation = (random.uniform(n) < p) * random.normal(n).abs() * strength.noise
    return images + deviation[:, None, None, None] * random.normal(n, *images.shape[1:])


def cut_out(images: Tensor, p: Tensor, random: RandomNumbers, strength: TransformConfig = ADA) -> Tensor:
    """Blacken a square (by default of half the edge) around a random centre (cutout, DeVries and Taylor 2017)."""
    n, size = images.shape[0], images.shape[-1]
    gate = random.uniform(n) < p
    centre = random.uniform(n, 2)
    pixels = (torch.arange(size, device=images.device) + 0.5) / size
    inside = (pixels[None, None] - centre[:, :, None]).abs() < strength.cutout / 2
    hole = gate[:, None, None] & inside[:, 0, :, None] & inside[:, 1, None, :]
    return images.masked_fill(hole[:, None], -1.0)


def next_probability(p: Tensor, sign: Tensor, config: AugmentConfig, images: int) -> Tensor:
    """Return the next p: one step up where the mean sign of real scores is above the target, and down where below.

    The step is images / (1000 · speed_kimg), so p needs `speed_kimg` thousand images from 0 to 1. p stays in 0..most.
    """
    # A mean sign of 1 means that the discriminator knows all training images; 0.6 is the target that ADA found best.
    updated = p + (sign - config.target).sign() * images / (1000 * config.speed_kimg)
    return updated.clamp(0, config.most)
