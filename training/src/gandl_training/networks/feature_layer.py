"""The layer of the discriminator that is the embedding, and the module that is exported."""

from __future__ import annotations

import copy
from enum import StrEnum

import torch
from gandl_shared.errors import BadInput
from torch import Tensor, nn
from torch.nn import functional as F

from gandl_training.networks.layers import Conv, Dense
from gandl_training.networks.stylegan2 import Discriminator

POOLED_EDGE = 2
"""The last map is averaged to this many pixels per edge for `pool`."""
MULTI_BLOCKS = slice(2, 4)
"""The maps of `multi`: those at a quarter and at an eighth of the edge of the input."""
FINE_BLOCKS = slice(0, 3)
"""The maps of `fine`: those at the whole, a half and a quarter of the edge of the input."""


class FeatureLayer(StrEnum):
    """The choices of the feature layer; the command line and the model card call it the tap.

    `fc` is the dense layer before the score, as in the GAN-DL paper. `pool` is the last map, averaged to 2 × 2 pixels.
    `multi` is the mean and the standard deviation of each map at a quarter and at an eighth of the input's edge: how
    much of a shape the tile holds and how unevenly it is spread, wherever the shape is. `fine` is the same for the
    three finest maps: it measures texture, and is nearly as good untrained. `fc-multi` has the numbers of `fc` and of
    `multi`: on single cells it is better than either.
    """

    FC = "fc"
    POOL = "pool"
    MULTI = "multi"
    FINE = "fine"
    FC_MULTI = "fc-multi"


def feature_layer(name: str) -> FeatureLayer:
    """Return the feature layer of that name. Raises BadInput where there is none."""
    if name not in list(FeatureLayer):
        raise BadInput(f"unknown tap '{name}'; use one of {', '.join(FeatureLayer)}")
    return FeatureLayer(name)


def feature_count(discriminator: Discriminator, layer: FeatureLayer) -> int:
    """Return the length of the vector of that layer."""
    config = discriminator.config
    last = config.discriminator_width(4)
    counts = {
        FeatureLayer.FC: config.features,
        FeatureLayer.POOL: last * POOLED_EDGE**2,
        FeatureLayer.MULTI: 2 * sum(config.discriminator_width(edge) for edge in config.edges[MULTI_BLOCKS]),
        FeatureLayer.FINE: 2 * sum(config.discriminator_width(edge) for edge in config.edges[FINE_BLOCKS]),
    }
    if layer is FeatureLayer.FC_MULTI:
        return counts[FeatureLayer.FC] + counts[FeatureLayer.MULTI]
    return counts[layer]


def moments(maps: Tensor) -> Tensor:
    """Return the mean and the standard deviation of each map over its pixels, [N, C, H, W] → [N, 2C]."""
    centre = maps.mean((2, 3), keepdim=True)
    # In two passes, because E[x²] − E[x]² loses digits in float32.
    spread = ((maps - centre).square().mean((2, 3)) + 1e-8).sqrt()
    return torch.cat([centre.flatten(1), spread], dim=1)


class Featurizer(nn.Module):
    """The module that is exported: uint8 images [N, C, R, R] → float32 embedding [N, features] of one layer.

    The gains of the layers are folded into their weights, and no layer depends on the other images of the batch.
    """

    def __init__(self, discriminator: Discriminator, layer: FeatureLayer) -> None:
        super().__init__()
        self.discriminator = copy.deepcopy(discriminator).eval().requires_grad_(False)
        self.layer = layer
        for module in self.discriminator.modules():
            if isinstance(module, Conv | Dense):
                module.fold()

    def forward(self, images: Tensor) -> Tensor:
        # The scaling is part of the graph, so that callers send uint8 on every path.
        x = images.to(torch.float32) * (1 / 127.5) - 1
        maps = self.discriminator.maps(x)
        if self.layer is FeatureLayer.FC:
            return self.discriminator.dense_features(maps)
        if self.layer is FeatureLayer.POOL:
            return F.avg_pool2d(maps[-1], maps[-1].shape[-1] // POOLED_EDGE).flatten(1)
        blocks = FINE_BLOCKS if self.layer is FeatureLayer.FINE else MULTI_BLOCKS
        pooled = [moments(m) for m in maps[blocks]]
        dense = [self.discriminator.dense_features(maps)] if self.layer is FeatureLayer.FC_MULTI else []
        return torch.cat([*dense, *pooled], dim=1)
