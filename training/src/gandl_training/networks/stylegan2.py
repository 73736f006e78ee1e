"""The two networks of StyleGAN2 from top to bottom: latent → generator → image → discriminator → features and score.

The names of the modules are the keys of the weights in a checkpoint, so they must not change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gandl_training.config import NetworkConfig
from gandl_training.networks.layers import Conv, Dense, ModulatedConv, group_stddev
from gandl_training.networks.resampling import blur_up, fir_kernel

STDDEV_MOMENTUM = 0.01
"""The share by which one batch moves the running mean of the minibatch standard deviation."""


class Mapping(nn.Module):
    """The mapping network, latent z [N, 512] → style w [N, 512]. It normalises the latent and passes it through a few
    dense layers, which learn at a hundredth of the learning rate (StyleGAN, Karras et al. 2019)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.style
        self.layers = nn.Sequential(
            *(Dense(width, width, activate=True, rate=0.01) for _ in range(config.mapping_layers))
        )

    def forward(self, z: Tensor) -> Tensor:
        # The latent is projected onto a sphere, so that only its direction matters.
        style: Tensor = self.layers(z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8))
        return style


class GeneratorBlock(nn.Module):
    """A block that doubles the edge by two modulated convolutions and adds its own image to the upsampled one of the
    block before it (the skip generator of StyleGAN2, section 4.1)."""

    kernel: Tensor

    def __init__(self, inputs: int, outputs: int, config: NetworkConfig) -> None:
        super().__init__()
        self.up = ModulatedConv(inputs, outputs, 3, config.style, up=True)
        self.conv = ModulatedConv(outputs, outputs, 3, config.style)
        self.to_image = ModulatedConv(outputs, config.channels, 1, config.style, demodulate=False)
        self.register_buffer("kernel", fir_kernel(), persistent=False)

    def forward(self, x: Tensor, image: Tensor, style: Tensor, noise: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        x = self.up(x, style, noise[0])
        x = self.conv(x, style, noise[1])
        return x, blur_up(image, self.kernel) + self.to_image(x, style).float()


class Generator(nn.Module):
    """The generator, z [N, 512] → image [N, C, R, R] of about −1..1. The caller passes the noise, so that a run can be
    repeated."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        edges = config.edges[::-1]
        width = config.generator_width
        self.mapping = Mapping(config)
        self.constant = nn.Parameter(torch.randn(1, width(4), 4, 4))
        self.first = ModulatedConv(width(4), width(4), 3, config.style)
        self.first_to_image = ModulatedConv(width(4), config.channels, 1, config.style, demodulate=False)
        self.blocks = nn.ModuleList(GeneratorBlock(width(e // 2), width(e), config) for e in edges[1:])

    @property
    def noise_edges(self) -> list[int]:
        """The edge of each noise map [N, 1, edge, edge] that `forward` takes."""
        return [4, *(e for edge in self.config.edges[-2::-1] for e in (edge, edge))]

    def forward(self, z: Tensor, noise: Sequence[Tensor]) -> Tensor:
        images: Tensor = self.synthesise(self.mapping(z), noise)
        return images

    def synthesise(self, style: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """Return the images [N, C, R, R] of styles [N, 512] and noise."""
        x = self.constant.expand(style.shape[0], -1, -1, -1)
        x = self.first(x.contiguous(memory_format=self.config.memory_format), style, noise[0])
        image: Tensor = self.first_to_image(x, style).float()
        for i, block in enumerate(self.blocks):
            x, image = block(x, image, style, noise[1 + 2 * i : 3 + 2 * i])
        # Inside, black is 0, so that the zeros around an image that is upsampled do not leave a bright frame.
        return image - 1


class DiscriminatorBlock(nn.Module):
    """A residual block that halves the edge: two 3×3 convolutions beside a 1×1 one; their sum is scaled by √½."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Conv(inputs, inputs, 3)
        self.down = Conv(inputs, outputs, 3, down=True, gain=math.sqrt(0.5))
        self.skip = Conv(inputs, outputs, 1, down=True, activate=False, bias=False, gain=math.sqrt(0.5))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(self.conv(x)) + self.skip(x)
        return y


class Discriminator(nn.Module):
    """The discriminator, image [N, C, R, R] in −1..1 → realness score [N]. It also has the features that gandl serves.

    In training, one input map of the last block is the standard deviation over groups of the batch. The buffer `stddev`
    is its running mean over real images. `features` uses that constant instead, so that a vector never depends on the
    other images of its batch.
    """

    stddev: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        # The attribute names below are the keys of the weights in a checkpoint.
        edges, width = config.edges, config.discriminator_width
        self.from_image = Conv(config.channels, width(edges[0]), 1)
        self.blocks = nn.ModuleList(DiscriminatorBlock(width(e), width(e // 2)) for e in edges[:-1])
        self.conv = Conv(width(4) + 1, width(4), 3)
        self.dense = Dense(width(4) * 16, config.features, activate=True)
        self.score = Dense(config.features, 1)
        self.register_buffer("stddev", torch.ones(()))

    def forward(self, image: Tensor) -> Tensor:
        """Return scores [N] with the standard deviation of this batch."""
        x = self.maps(image)[-1]
        return self._score(x, group_stddev(x, self.config.stddev_group))

    def score_both(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of real and of generated images, each batch with its own standard deviation.

        One pass computes both, because small maps use a processor better together. It also moves the running mean of
        the standard deviation towards that of the real batch.
        """
        x = self.maps(torch.cat([real, fake]))[-1]
        parts = [group_stddev(part, self.config.stddev_group) for part in torch.split(x, [len(real), len(fake)])]
        # Only real images count: the featurizer is used on real images.
        self.stddev.lerp_(parts[0].detach().mean(), STDDEV_MOMENTUM)
        scores = self._score(x, torch.cat(parts))
        return scores[: len(real)], scores[len(real) :]

    def maps(self, image: Tensor) -> list[Tensor]:
        """Return the last map of each edge from R down to 4, [N, width, edge, edge] each, before the minibatch
        standard deviation enters."""
        # The layout is set once here; every convolution passes it on.
        maps = [self.from_image(image.contiguous(memory_format=self.config.memory_format))]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps

    def features(self, image: Tensor) -> Tensor:
        """Return the dense features [N, 512] of images; each vector depends on its own image only."""
        return self.dense_features(self.maps(image))

    def dense_features(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the dense features [N, 512] of the `maps` of images."""
        x = maps[-1].float()
        return self._dense(x, self.stddev.expand(x.shape[0], 1, 1, 1))

    def _score(self, x: Tensor, stddev: Tensor) -> Tensor:
        # The last layers run in float32: a loss needs more digits than bfloat16 has.
        with torch.autocast(x.device.type, enabled=False):
            score: Tensor = self.score(self._dense(x.float(), stddev))
        return score[:, 0]

    def _dense(self, x: Tensor, stddev: Tensor) -> Tensor:
        x = torch.cat([x, stddev.expand(-1, 1, x.shape[2], x.shape[3])], dim=1)
        features: Tensor = self.dense(self.conv(x).flatten(1))
        return features


class Projector(nn.Module):
    """Two dense layers, features [N, 512] → [N, 128], between the features and the contrastive loss.

    They are not part of the featurizer: the loss throws away what views do not share, and they take that loss on
    themselves (SimCLR, Chen et al. 2020, section 4.2).
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Dense(config.features, config.features, activate=True), Dense(config.features, config.features // 4)
        )

    def forward(self, features: Tensor) -> Tensor:
        projected: Tensor = self.layers(features)
        return projected


def parameter_count(module: nn.Module) -> int:
    """Return the number of trained values."""
    return sum(p.numel() for p in module.parameters())
