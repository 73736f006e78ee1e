"""Which layer of the discriminator is the embedding, and the module that is exported."""

from __future__ import annotations

import copy
from typing import Literal, get_args

import torch
from gandl_shared.errors import BadInput
from torch import Tensor, nn
from torch.nn import functional as F

from gandl_training.networks.layers import Conv, Dense
from gandl_training.networks.stylegan2 import Discriminator

Tap = Literal["fc", "pool", "multi", "fine"]
POOLED_EDGE = 2
POOLED_BLOCKS = slice(2, 4)
FINE_BLOCKS = slice(0, 3)


def tap(name: str) -> Tap:
    """Check a tap's name. Raises BadInput."""
    for known in get_args(Tap):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise BadInput(f"unknown tap '{name}'; use one of {', '.join(get_args(Tap))}")


def tap_width(discriminator: Discriminator, name: Tap) -> int:
    """Length of the vector of that tap."""
    config = discriminator.config
    last = config.discriminator_width(4)
    widths = {
        "fc": config.features,
        "pool": last * POOLED_EDGE**2,
        "multi": 2 * sum(config.discriminator_width(edge) for edge in config.edges[POOLED_BLOCKS]),
        "fine": 2 * sum(config.discriminator_width(edge) for edge in config.edges[FINE_BLOCKS]),
    }
    return widths[name]


def moments(maps: Tensor) -> Tensor:
    """Mean and standard deviation over the pixels, [N, C, H, W] → [N, 2C]."""
    centre = maps.mean((2, 3), keepdim=True)
    spread = ((maps - centre).square().mean((2, 3)) + 1e-8).sqrt()
    return torch.cat([centre.flatten(1), spread], dim=1)


class Featurizer(nn.Module):
    """uint8 images [N, C, R, R] → float32 embedding [N, width]; gains folded, no layer looks across the batch.

    `fc` is the dense layer before the score, `pool` the last map averaged to 2×2, `multi` mean and standard deviation
    of each map at a quarter and an eighth of the input's edge: how much of a shape there is and how unevenly it is
    spread, wherever it lies. `fine` is the same of the three finest maps: texture, nearly as good untrained.
    """

    def __init__(self, discriminator: Discriminator, name: Tap) -> None:
        super().__init__()
        self.discriminator = copy.deepcopy(discriminator).eval().requires_grad_(False)
        self.name = name
        for layer in self.discriminator.modules():
            if isinstance(layer, Conv | Dense):
                layer.fold()

    def forward(self, images: Tensor) -> Tensor:
        x = images.to(torch.float32) * (1 / 127.5) - 1
        if self.name == "fc":
            return self.discriminator.features(x)
        maps = self.discriminator.maps(x)
        if self.name == "pool":
            return F.avg_pool2d(maps[-1], maps[-1].shape[-1] // POOLED_EDGE).flatten(1)
        blocks = FINE_BLOCKS if self.name == "fine" else POOLED_BLOCKS
        return torch.cat([moments(m) for m in maps[blocks]], dim=1)
