"""StyleGAN2's two networks, top to bottom: latent → generator → image → discriminator → 512 features and a score."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gandl_training.config import NetworkConfig
from gandl_training.networks.layers import Conv, Dense, ModulatedConv, blur_up, fir_kernel, group_stddev

STDDEV_MOMENTUM = 0.01


class Mapping(nn.Module):
    """Latent z [N, 512] → style w [N, 512]: normalise, then a few dense layers at a hundredth of the learning rate."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.style
        self.layers = nn.Sequential(
            *(Dense(width, width, activate=True, rate=0.01) for _ in range(config.mapping_layers))
        )

    def forward(self, z: Tensor) -> Tensor:
        style: Tensor = self.layers(z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8))
        return style


class GeneratorBlock(nn.Module):
    """Doubles the edge with two modulated convolutions and adds its own image to the upsampled one (skip generator)."""

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
    """z [N, 512] → image [N, C, R, R] about −1..1. Noise is given by the caller, so that a run can be repeated."""

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
        """Edge of each noise map that `forward` takes, [N, 1, edge, edge] each."""
        return [4, *(e for edge in self.config.edges[-2::-1] for e in (edge, edge))]

    def forward(self, z: Tensor, noise: Sequence[Tensor]) -> Tensor:
        images: Tensor = self.synthesise(self.mapping(z), noise)
        return images

    def synthesise(self, style: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """Style [N, 512] and noise → image [N, C, R, R]."""
        x = self.constant.expand(style.shape[0], -1, -1, -1)
        x = self.first(x.contiguous(memory_format=self.config.memory_format), style, noise[0])
        image: Tensor = self.first_to_image(x, style).float()
        for i, block in enumerate(self.blocks):
            x, image = block(x, image, style, noise[1 + 2 * i : 3 + 2 * i])
        return image - 1  # inside, 0 is black: the zeros around an image that is upsampled then leave no bright frame


class DiscriminatorBlock(nn.Module):
    """Residual block that halves the edge: two 3×3 convolutions beside a 1×1 one, sum scaled by √½."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Conv(inputs, inputs, 3)
        self.down = Conv(inputs, outputs, 3, down=True, gain=math.sqrt(0.5))
        self.skip = Conv(inputs, outputs, 1, down=True, activate=False, bias=False, gain=math.sqrt(0.5))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(self.conv(x)) + self.skip(x)
        return y


class Discriminator(nn.Module):
    """Image [N, C, R, R] in −1..1 → realness score [N]; on the way the features that gandl serves.

    While training, one input map of the last block is the standard deviation over groups of the batch. Its running
    mean over real images is kept, and `features` and `maps` use that constant instead: a vector never depends on
    its batch-mates.
    """

    stddev: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        edges, width = config.edges, config.discriminator_width
        self.from_image = Conv(config.channels, width(edges[0]), 1)
        self.blocks = nn.ModuleList(DiscriminatorBlock(width(e), width(e // 2)) for e in edges[:-1])
        self.conv = Conv(width(4) + 1, width(4), 3)
        self.dense = Dense(width(4) * 16, config.features, activate=True)
        self.score = Dense(config.features, 1)
        self.register_buffer("stddev", torch.ones(()))

    def forward(self, image: Tensor) -> Tensor:
        """Scores [N] with the batch's own standard deviation."""
        x = self.maps(image)[-1]
        return self._score(x, group_stddev(x, self.config.stddev_group))

    def judge(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of real and of generated images, each batch with its own standard deviation, in one pass: small maps
        keep a processor busier together. Moves the running mean towards the real batch's."""
        x = self.maps(torch.cat([real, fake]))[-1]
        parts = [group_stddev(part, self.config.stddev_group) for part in torch.split(x, [len(real), len(fake)])]
        self.stddev.lerp_(parts[0].detach().mean(), STDDEV_MOMENTUM)
        scores = self._score(x, torch.cat(parts))
        return scores[: len(real)], scores[len(real) :]

    def maps(self, image: Tensor) -> list[Tensor]:
        """The last map of each edge from R down to 4, [N, width, edge, edge] each, before the batch statistics."""
        maps = [self.from_image(image.contiguous(memory_format=self.config.memory_format))]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps

    def features(self, image: Tensor) -> Tensor:
        """The dense 512 features [N, 512] of each image alone."""
        x = self.maps(image)[-1].float()
        return self._dense(x, self.stddev.expand(x.shape[0], 1, 1, 1))

    def _score(self, x: Tensor, stddev: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            score: Tensor = self.score(self._dense(x.float(), stddev))
        return score[:, 0]

    def _dense(self, x: Tensor, stddev: Tensor) -> Tensor:
        x = torch.cat([x, stddev.expand(-1, 1, x.shape[2], x.shape[3])], dim=1)
        features: Tensor = self.dense(self.conv(x).flatten(1))
        return features


def parameters(module: nn.Module) -> int:
    """Number of trained values."""
    return sum(p.numel() for p in module.parameters())
