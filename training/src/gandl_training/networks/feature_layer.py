"""The layer of the discriminator that is the embedding, and the module that is exported."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
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
ORIENTATIONS = 8
SCALES = 2
"""A vector with `centre` joins those of so many scales of its tile."""
FIT_VIEWS = 16
"""So many views of images pass the network together where components or the scale of the novelty are fitted. With
more, a CPU spends most of its time on getting memory for the maps."""


class FeatureLayer(StrEnum):
    """The choices of the feature layer; the command line and the model card call it the tap.

    `fc` is the dense layer before the score, as in the GAN-DL paper. `pool` is the last map, averaged to 2 × 2 pixels.
    `multi` is the mean and the standard deviation of each map at a quarter and at an eighth of the input's edge: how
    much of a shape the tile holds and how unevenly it is spread, wherever the shape is. `fine` is the same for the
    three finest maps: it measures texture, and is nearly as good untrained. `fc-multi` has the numbers of `fc` and of
    `multi`: on single cells it is better than either. `all` is `fc` beside the moments of all maps.
    """

    FC = "fc"
    POOL = "pool"
    MULTI = "multi"
    FINE = "fine"
    FC_MULTI = "fc-multi"
    ALL = "all"


BLOCKS: Mapping[FeatureLayer, slice] = {
    FeatureLayer.FINE: FINE_BLOCKS,
    FeatureLayer.MULTI: MULTI_BLOCKS,
    FeatureLayer.FC_MULTI: MULTI_BLOCKS,
    FeatureLayer.ALL: slice(None),
}
"""The maps whose moments a layer has."""
WITH_DENSE = frozenset({FeatureLayer.FC_MULTI, FeatureLayer.ALL})
"""The layers that have the dense features too."""


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
    if layer is FeatureLayer.ALL:
        return counts[FeatureLayer.FC] + 2 * sum(map(config.discriminator_width, config.edges))
    return counts[layer]


def moments(maps: Tensor) -> Tensor:
    """Return the mean and the standard deviation of each map over its pixels, [N, C, H, W] → [N, 2C]."""
    centre = maps.mean((2, 3), keepdim=True)
    # In two passes, because E[x²] − E[x]² loses digits in float32.
    spread = ((maps - centre).square().mean((2, 3)) + 1e-8).sqrt()
    return torch.cat([centre.flatten(1), spread], dim=1)


def orientations(images: Tensor) -> Tensor:
    """Return images [N, C, R, R] in the eight orientations of a square, [8N, C, R, R]."""
    halves = torch.cat([images, images.mT])
    sides = torch.cat([halves, halves.flip(2)])
    return torch.cat([sides, sides.flip(3)])


class MiddleHalf(nn.Module):
    """The middle half of images [N, C, R, R], enlarged to R × R by bilinear interpolation; 4 divides R.

    It multiplies by a constant matrix from both sides, which every runtime computes in any precision.
    """

    weights: Tensor

    def __init__(self, edge: int) -> None:
        super().__init__()
        # Column i has the weights of the pixels of the middle half in pixel i of the result.
        self.register_buffer("weights", F.interpolate(torch.eye(edge // 2)[None], scale_factor=2.0, mode="linear")[0])

    def forward(self, images: Tensor) -> Tensor:
        edge = images.shape[-1]
        middle = slice(edge // 4, 3 * edge // 4)
        return self.weights.T @ images[:, :, middle, middle] @ self.weights


class Featurizer(nn.Module):
    """The module that is exported: uint8 images [N, C, R, R] → float32 embedding [N, features] of one layer.

    The gains of the layers are folded into their weights, and no layer depends on the other images of the batch. With
    `turned`, a vector is the mean over the eight orientations of its image, which takes eight times as long. With
    `centre`, it is joined with the vector of the middle half of its image, [N, 2 · features], which takes twice as
    long.
    """

    def __init__(
        self, discriminator: Discriminator, layer: FeatureLayer, *, turned: bool = False, centre: bool = False
    ) -> None:
        super().__init__()
        self.discriminator = copy.deepcopy(discriminator).eval().requires_grad_(False)
        self.layer, self.turned = layer, turned
        self.centre = MiddleHalf(discriminator.config.resolution) if centre else None
        for module in self.discriminator.modules():
            if isinstance(module, Conv | Dense):
                module.fold()

    @property
    def features(self) -> int:
        """The length of a vector."""
        return feature_count(self.discriminator, self.layer) * (SCALES if self.centre else 1)

    def batches(self, images: Tensor) -> Sequence[Tensor]:
        """Return images in the batches in which a CPU embeds many of them fastest."""
        views = (ORIENTATIONS if self.turned else 1) * (SCALES if self.centre else 1)
        return torch.split(images, FIT_VIEWS // views)

    def forward(self, images: Tensor) -> Tensor:
        return self._joined(self._mean(self._features(self._maps(images))))

    def scored(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embedding and the score of realness [N] of uint8 images, which takes the maps only once."""
        maps = self._maps(images)
        scores = self._mean(self.discriminator.score(self.discriminator.dense_features(maps)))
        # The score is that of the whole image: training showed no enlarged images.
        return self._joined(self._mean(self._features(maps))), self._joined(scores)[:, 0]

    def _maps(self, images: Tensor) -> Sequence[Tensor]:
        # The scaling is part of the graph, so that callers send uint8 on every path.
        x = images.to(torch.float32) * (1 / 127.5) - 1
        if self.centre is not None:
            x = torch.cat([x, self.centre(x)])
        return self.discriminator.maps(orientations(x) if self.turned else x)

    def _mean(self, values: Tensor) -> Tensor:
        return values.reshape(ORIENTATIONS, -1, values.shape[1]).mean(0) if self.turned else values

    def _joined(self, values: Tensor) -> Tensor:
        return values.reshape(SCALES, -1, values.shape[1]).transpose(0, 1).flatten(1) if self.centre else values

    def _features(self, maps: Sequence[Tensor]) -> Tensor:
        if self.layer is FeatureLayer.FC:
            return self.discriminator.dense_features(maps)
        if self.layer is FeatureLayer.POOL:
            return F.avg_pool2d(maps[-1], maps[-1].shape[-1] // POOLED_EDGE).flatten(1)
        pooled = [moments(m) for m in maps[BLOCKS[self.layer]]]
        dense = [self.discriminator.dense_features(maps)] if self.layer in WITH_DENSE else []
        return torch.cat([*dense, *pooled], dim=1)


class Whitened(nn.Module):
    """A featurizer whose features are turned into principal components of variance 1 on its training images.

    Linear classifiers and distances then treat what varies little like what varies much. `matrix` is [components,
    features] and `offset` [components].
    """

    matrix: Tensor
    offset: Tensor

    def __init__(self, featurizer: Featurizer, matrix: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.featurizer = featurizer
        self.register_buffer("matrix", matrix)
        self.register_buffer("offset", offset)

    @classmethod
    def fitted(cls, featurizer: Featurizer, images: Tensor, components: int) -> Whitened:
        """Fit the first `components` to uint8 images [N, C, R, R]. Raises BadInput for more than the images have."""
        with torch.no_grad():
            features = torch.cat([featurizer(batch) for batch in featurizer.batches(images)]).double()
        mean, spread = features.mean(0), features.std(0, correction=0) + 1e-9
        _, scales, axes = torch.linalg.svd((features - mean) / spread, full_matrices=False)
        if not (0 < components <= len(scales) and scales[components - 1] > 1e-6 * scales[0]):
            raise BadInput(f"{len(features)} images do not give {components} components; ask for fewer")
        matrix = axes[:components] * (len(features) ** 0.5 / scales[:components, None]) / spread
        return cls(featurizer, matrix.float(), (-matrix @ mean).float())

    def forward(self, images: Tensor) -> Tensor:
        return F.linear(self.featurizer(images), self.matrix, self.offset)


class Scored(nn.Module):
    """A featurizer with a second output: uint8 images [N, C, R, R] → embedding [N, features] and novelty [N].

    The novelty of an image is how far its score of realness lies below the `mean` of training images, in their standard
    `deviation`.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, module: Featurizer | Whitened, mean: float, deviation: float) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))

    @classmethod
    def fitted(cls, module: Featurizer | Whitened, images: Tensor) -> Scored:
        """Return the module with the scale of uint8 images. Raises BadInput where all have one score."""
        featurizer = module.featurizer if isinstance(module, Whitened) else module
        with torch.no_grad():
            scores = torch.cat([featurizer.scored(batch)[1] for batch in featurizer.batches(images)]).double()
        mean, deviation = float(scores.mean()), float(scores.std(correction=0))
        if not deviation > 1e-6 * max(1.0, abs(mean)):
            raise BadInput("the discriminator gives all training images one score, so it has no novelty; train longer")
        return cls(module, mean, deviation)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        if isinstance(self.module, Whitened):
            features, scores = self.module.featurizer.scored(images)
            features = F.linear(features, self.module.matrix, self.module.offset)
        else:
            features, scores = self.module.scored(images)
        return features, (self.mean - scores) / self.deviation
