"""What a training run is: frozen dataclasses that travel inside every checkpoint, and the presets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import torch
from gandl_shared.errors import BadInput

GanLoss = Literal["logistic", "wasserstein"]


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of both networks. A block at edge r has min(base // r, most) feature maps.

    `features` is the dense layer of the discriminator that serves as the embedding; style, mapping depth and features
    are the paper's (512, 3, 512). `channels_last` is the layout of maps in memory, which changes speed alone.
    """

    resolution: int = 64
    channels: int = 2
    style: int = 512
    mapping_layers: int = 3
    features: int = 512
    generator_base: int = 1536
    generator_most: int = 128
    discriminator_base: int = 2048
    discriminator_most: int = 128
    stddev_group: int = 4
    channels_last: bool = True

    def __post_init__(self) -> None:
        if self.resolution < 16 or self.resolution & (self.resolution - 1):
            raise BadInput(f"resolution {self.resolution} is not a power of two from 16; use 32, 64, 128 or 256")
        if self.channels < 1:
            raise BadInput(f"{self.channels} channels; a model needs at least one")

    @property
    def memory_format(self) -> torch.memory_format:
        """Layout of maps in memory."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    @property
    def edges(self) -> tuple[int, ...]:
        """Edges of the blocks from the full resolution down to 4."""
        return tuple(self.resolution >> i for i in range(self.resolution.bit_length() - 2))

    def generator_width(self, edge: int) -> int:
        """Feature maps of the generator's block at `edge`."""
        return min(self.generator_base // edge, self.generator_most)

    def discriminator_width(self, edge: int) -> int:
        """Feature maps of the discriminator's block at `edge`."""
        return min(self.discriminator_base // edge, self.discriminator_most)


@dataclass(frozen=True)
class LossConfig:
    """Loss and regularisers. An interval of n applies a term every n-th step with n times its weight (lazily).

    `r1_gamma` None takes the heuristic of StyleGAN2-ADA, 0.0002 · resolution² / batch. `lipschitz_power` is the p of
    `losses.lipschitz`, 1 or 2.
    """

    gan: GanLoss = "logistic"
    r1_gamma: float | None = None
    r1_interval: int = 16
    path_length_weight: float = 0.0
    path_length_interval: int = 8
    lipschitz_weight: float = 0.0
    lipschitz_power: int = 1
    lipschitz_interval: int = 1

    def __post_init__(self) -> None:
        if self.gan not in get_args(GanLoss):
            raise BadInput(f"unknown loss '{self.gan}'; use one of {', '.join(get_args(GanLoss))}")
        for name in ("r1_gamma", "path_length_weight", "lipschitz_weight"):
            if not 0 <= (getattr(self, name) or 0) < math.inf:
                raise BadInput(f"{name} {getattr(self, name)} is no weight of a loss; give 0 (none) or more")
        if self.lipschitz_power not in (1, 2):
            raise BadInput(f"power {self.lipschitz_power} of the Lipschitz penalty is unknown; use 1 or 2")


@dataclass(frozen=True)
class AugmentConfig:
    """Adaptive discriminator augmentation (Karras et al. 2020). `target` is the share of positive real scores kept."""

    adaptive: bool = False
    target: float = 0.6
    interval: int = 4
    speed_kimg: float = 100.0
    most: float = 0.8


@dataclass(frozen=True)
class TrainConfig:
    """One run. It ends at `kimg` thousand real images in all or after `minutes` of this process.

    The other `…_kimg` say how often something is written; `holdout` is a share of the wells kept from training.
    """

    preset: str = "cpu-64"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    batch: int = 32
    learning_rate: float = 0.002
    beta2: float = 0.99
    ema_kimg: float = 5.0
    ema_rampup: float = 0.05
    bf16: bool = True
    seed: int = 0
    kimg: float | None = None
    minutes: float | None = None
    checkpoint_kimg: float = 4.0
    sample_kimg: float = 4.0
    snapshot_kimg: float = 8.0
    quality_kimg: float = 8.0
    holdout: float = 0.0

    def __post_init__(self) -> None:
        if self.batch < 2:
            raise BadInput(f"batch {self.batch} is too small; the standard deviation over a batch needs 2")
        if not 0 < self.learning_rate < math.inf:
            raise BadInput(f"learning rate {self.learning_rate:g} trains nothing; give one above 0, such as 0.002")
        if not 0 <= self.seed < 2**63:
            raise BadInput(f"seed {self.seed} is not a whole number from 0 to 2^63 - 1")
        if not 0 <= self.holdout < 1:
            raise BadInput(f"holdout {self.holdout} is not a share of the wells; give 0 to 0.5")
        if not (0 <= (self.kimg or 0) < math.inf and 0 <= (self.minutes or 0) < math.inf):
            raise BadInput(
                "the length of a training (kimg, minutes) is a number from 0; leave it out to go on until stopped"
            )

    @property
    def r1_gamma(self) -> float:
        """The weight of R1 in use."""
        if self.loss.r1_gamma is not None:
            return self.loss.r1_gamma
        return float(0.0002 * self.network.resolution**2 / self.batch)

    def to_json(self) -> str:
        """Canonical JSON; `from_json` gives it back equal."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """Raises BadInput where a field is unknown (a checkpoint of another version)."""
        values: dict[str, Any] = json.loads(text)  # Any: JSON; the dataclasses below check the names
        try:
            parts: dict[str, object] = {
                "network": NetworkConfig(**values.pop("network")),
                "loss": LossConfig(**values.pop("loss")),
                "augment": AugmentConfig(**values.pop("augment")),
            }
            return cls(**values, **parts)  # type: ignore[arg-type]
        except (TypeError, KeyError) as error:
            raise BadInput(f"the checkpoint's configuration is of another version: {error}") from error


PRESETS: Mapping[str, TrainConfig] = {
    "cpu-64": TrainConfig(batch=16, loss=LossConfig(r1_gamma=10.0)),
    "gpu-128": TrainConfig(
        preset="gpu-128",
        network=NetworkConfig(
            resolution=128,
            generator_base=8192,
            generator_most=512,
            discriminator_base=8192,
            discriminator_most=256,
        ),
        loss=LossConfig(path_length_weight=2.0),
        augment=AugmentConfig(adaptive=True),
        batch=64,
        checkpoint_kimg=50,
        sample_kimg=50,
        snapshot_kimg=100,
        quality_kimg=50,
    ),
    "gpu-256": TrainConfig(
        preset="gpu-256",
        network=NetworkConfig(
            resolution=256,
            channels=5,
            generator_base=16384,
            generator_most=512,
            discriminator_base=16384,
            discriminator_most=512,
        ),
        loss=LossConfig(path_length_weight=2.0),
        augment=AugmentConfig(adaptive=True),
        batch=64,
        ema_kimg=20.0,
        checkpoint_kimg=100,
        sample_kimg=100,
        snapshot_kimg=200,
        quality_kimg=100,
    ),
    "paper": TrainConfig(
        preset="paper",
        network=NetworkConfig(
            resolution=256,
            channels=5,
            generator_base=16384,
            generator_most=512,
            discriminator_base=16384,
            discriminator_most=512,
        ),
        loss=LossConfig(path_length_weight=2.0, lipschitz_weight=10.0, lipschitz_power=1),
        batch=32,
        learning_rate=1e-4,
        ema_kimg=10.0,
        checkpoint_kimg=100,
        sample_kimg=100,
        snapshot_kimg=200,
        quality_kimg=100,
    ),
}
"""`cpu-64` takes small batches, since steps count more than their precision in a short run, and an R1 far above the
heuristic (0.05): on 96 fields of BBBC013 the discriminator wins outright below 1, and at 10 its dense features keep
more of the phenotype than at 1 (docs/training.md). It leaves path length out: that shapes the generator only, and on
two cores its time is better spent on the discriminator. `paper` is the paper's setting; its loss is the StyleGAN2
paper's (logistic), Wasserstein an option."""


def preset(name: str) -> TrainConfig:
    """The preset of that name. Raises BadInput."""
    if name not in PRESETS:
        raise BadInput(f"unknown preset '{name}'; use one of {', '.join(PRESETS)}")
    return PRESETS[name]


def with_input(config: TrainConfig, *, channels: int, resolution: int | None = None) -> TrainConfig:
    """`config` for images of that many channels, and another resolution if one is given."""
    network = replace(config.network, channels=channels, resolution=resolution or config.network.resolution)
    return replace(config, network=network)


def changed(config: TrainConfig, values: Mapping[str, object]) -> TrainConfig:
    """`config` with `values` in place; None leaves a value as it is, a mapping changes a part. Raises BadInput."""
    known: dict[str, Any] = {}  # Any: values of many types, checked by the dataclasses
    for name, value in values.items():
        if isinstance(value, Mapping):
            known[name] = replace(getattr(config, name), **{k: v for k, v in value.items() if v is not None})
        elif value is not None:
            known[name] = value
    return replace(config, **known)
