"""DenseNet-121 (Huang et al. 2017, "Densely Connected Convolutional Networks") with torchvision's names of weights.

The names are those of `torchvision.models.densenet121`, so a file of its ImageNet weights loads without torchvision.
"""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from gandl_shared.errors import BadInput
from torch import Tensor, nn
from torch.nn import functional as F

IMAGENET_CLASSES = 1000
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COUNTER = "num_batches_tracked"
"""A buffer of batch normalisation that published files lack and that no vector depends on."""

_LEGACY = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")


@dataclass(frozen=True, kw_only=True)
class DenseNetShape:
    """Layers per block, maps that each layer adds, maps of the first convolution, and the factor of the bottleneck."""

    blocks: tuple[int, ...] = (6, 12, 24, 16)
    growth: int = 32
    initial: int = 64
    bottleneck: int = 4


class _DenseLayer(nn.Module):
    """Two convolutions, 1×1 and 3×3, each after a normalisation; their maps join those of all layers before."""

    def __init__(self, inputs: int, shape: DenseNetShape) -> None:
        super().__init__()
        width = shape.bottleneck * shape.growth
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, shape.growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(narrow)))], dim=1)


def _dense_block(layers: int, inputs: int, shape: DenseNetShape) -> nn.Sequential:
    parts = ((f"denselayer{i + 1}", _DenseLayer(inputs + i * shape.growth, shape)) for i in range(layers))
    return nn.Sequential(OrderedDict(parts))


def _transition(inputs: int) -> nn.Sequential:
    """Return the layers between two blocks, which halve the number of maps and their edge."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(inputs),
            relu=nn.ReLU(),
            conv=nn.Conv2d(inputs, inputs // 2, 1, bias=False),
            pool=nn.AvgPool2d(2),
        )
    )


class DenseNet(nn.Module):
    """The network, images [N, 3, H, W] → logits [N, classes]; `vectors` are its pooled features [N, `width`]."""

    def __init__(self, classes: int = IMAGENET_CLASSES, shape: DenseNetShape | None = None) -> None:
        super().__init__()
        shape = shape or DenseNetShape()
        width = shape.initial
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(width),
            relu0=nn.ReLU(),
            pool0=nn.MaxPool2d(3, stride=2, padding=1),
        )
        for number, count in enumerate(shape.blocks, start=1):
            layers[f"denseblock{number}"] = _dense_block(count, width, shape)
            width += count * shape.growth
            if number < len(shape.blocks):
                layers[f"transition{number}"] = _transition(width)
                width //= 2
        layers["norm5"] = nn.BatchNorm2d(width)
        self.features = nn.Sequential(layers)
        self.classifier = nn.Linear(width, classes)
        self.width = width
        self.apply(_initialise)

    def vectors(self, images: Tensor) -> Tensor:
        """Return the features, averaged over the image."""
        return F.relu(self.features(images)).mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.vectors(images))
        return logits


class PlateDenseNet(nn.Module):
    """A DenseNet for tiles of any number of channels, uint8 [N, C, S, S] → logits [N, classes].

    A 1×1 convolution, which is trained too, mixes the channels to three. It starts as their mean.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, classes: int, shape: DenseNetShape | None = None) -> None:
        super().__init__()
        self.adapter = nn.Conv2d(channels, 3, 1)
        nn.init.constant_(self.adapter.weight, 1 / channels)
        nn.init.zeros_(self.adapter.bias) if self.adapter.bias is not None else None
        self.network = DenseNet(classes, shape)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION)[:, None, None])

    def vectors(self, tiles: Tensor) -> Tensor:
        """Return the features [N, 1024] of tiles, averaged over the tile."""
        mixed = self.adapter(tiles.to(torch.float32) * (1 / 255))
        return self.network.vectors((mixed - self.mean) / self.deviation)

    def forward(self, tiles: Tensor) -> Tensor:
        logits: Tensor = self.network.classifier(self.vectors(tiles))
        return logits


def load_weights(network: DenseNet, path: Path) -> None:
    """Load the features of a file of torchvision's weights; its classifier is for other classes and left out.

    Only tensors are read, and nothing in the file is run. Raises BadInput for a file of another kind or network.
    """
    state = _read_state(path)
    expected = {name: tensor.shape for name, tensor in network.features.state_dict(prefix="features.").items()}
    state = {name: tensor for name, tensor in current_names(state).items() if not name.startswith("classifier.")}
    lacking = [name for name in expected if name not in state and not name.endswith(COUNTER)]
    foreign = [name for name in state if name not in expected]
    if lacking or foreign:
        first = f"it lacks {lacking[0]}" if lacking else f"it has {foreign[0]}"
        raise BadInput(f"{path.name} does not hold the weights of DenseNet-121 by torchvision's names: {first}")
    for name, tensor in state.items():
        if tensor.shape != expected[name]:
            shapes = f"{list(tensor.shape)} instead of {list(expected[name])}"
            raise BadInput(f"{path.name} holds the weights of another network: {name} is {shapes}")
        if not torch.isfinite(tensor).all():
            raise BadInput(f"{path.name} is damaged: {name} has numbers that are not finite")
    network.load_state_dict(state, strict=False)


def current_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights by today's names: published files have `norm.1.weight`, and torchvision `norm1.weight`."""
    return {_LEGACY.sub(r"\1\2", name): tensor for name, tensor in state.items()}


def _read_state(path: Path) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise BadInput(f"there is no file of weights {path}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise BadInput(f"{path.name} is no plain file of weights, as `torch.save(state_dict)` writes it") from error
    if not isinstance(state, Mapping) or not all(isinstance(each, Tensor) for each in state.values()):
        raise BadInput(f"{path.name} is no state dict: it holds more than named tensors; save the state dict alone")
    return state


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
