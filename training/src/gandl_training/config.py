"""The configuration of a training run, as frozen dataclasses, and the presets.

Every checkpoint carries its configuration as JSON. The names of the fields are the keys of that JSON, so a field that
is renamed would make older checkpoints unreadable.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import torch
from gandl_shared.errors import BadInput

GanLoss = Literal["logistic", "wasserstein", "none"]


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The shape of both networks. A block whose maps have r × r pixels has min(base // r, most) feature maps.

    `features` is the width of the discriminator's dense layer, which is the feature layer `fc`. The widths of style and
    features (512) and the depth of the mapping network (3) are those of the GAN-DL paper. `channels_last` is the layout
    of the maps in memory and changes only the speed.
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
            raise BadInput(f"channels is {self.channels}; a model needs at least one channel")

    @property
    def memory_format(self) -> torch.memory_format:
        """The layout of the maps in memory."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    @property
    def edges(self) -> tuple[int, ...]:
        """The edges of the blocks in pixels, from the full resolution down to 4."""
        return tuple(self.resolution >> i for i in range(self.resolution.bit_length() - 2))

    def generator_width(self, edge: int) -> int:
        """The number of feature maps of the generator's block at `edge`."""
        return min(self.generator_base // edge, self.generator_most)

    def discriminator_width(self, edge: int) -> int:
        """The number of feature maps of the discriminator's block at `edge`."""
        return min(self.discriminator_base // edge, self.discriminator_most)


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """The loss and its regularisers.

    An interval of n applies a regulariser in every n-th step with n times its weight (lazy regularisation, StyleGAN2,
    Karras et al. 2020, section 3.1). Where `r1_gamma` is None, the heuristic
    of StyleGAN2-ADA holds: 0.0002 · resolution² / batch (Karras et al. 2020, "Training Generative Adversarial Networks
    with Limited Data"). `lipschitz_power` is the exponent p of `losses.lipschitz`, 1 or 2.

    `contrast_weight` adds a self-supervised term to the discriminator: two augmented views of a real image agree in
    their dense features, and differ from those of the other images (`losses.contrast`). With the loss "none" there is
    no generator in the training at all, and the discriminator learns by that term alone.
    """

    gan: GanLoss = "logistic"
    r1_gamma: float | None = None
    r1_interval: int = 16
    path_length_weight: float = 0.0
    path_length_interval: int = 8
    lipschitz_weight: float = 0.0
    lipschitz_power: int = 1
    lipschitz_interval: int = 1
    contrast_weight: float = 0.0
    contrast_temperature: float = 0.2

    def __post_init__(self) -> None:
        if self.gan not in get_args(GanLoss):
            raise BadInput(f"unknown loss '{self.gan}'; use one of {', '.join(get_args(GanLoss))}")
        for name in ("r1_gamma", "path_length_weight", "lipschitz_weight", "contrast_weight"):
            if not 0 <= (getattr(self, name) or 0) < math.inf:
                raise BadInput(f"{name} {getattr(self, name)} is not a valid weight of a loss; give 0 (none) or more")
        if self.lipschitz_power not in (1, 2):
            raise BadInput(f"power {self.lipschitz_power} of the Lipschitz penalty is unknown; use 1 or 2")
        if not 0 < self.contrast_temperature < math.inf:
            raise BadInput(f"temperature {self.contrast_temperature} is not above 0; give a number such as 0.2")
        if self.gan == "none" and not self.contrast_weight:
            raise BadInput("the loss 'none' needs the contrast term; give a weight such as --contrast 1")


@dataclass(frozen=True, kw_only=True)
class TransformConfig:
    """The strengths of the random transforms of an image (`steps.augment`).

    `shift` and `cutout` are shares of the edge, `scale` and `gain` are standard deviations of log2, and `offset` and
    `noise` are standard deviations in units of −1..1. Shift, scale, noise and cutout are those of ADA (Karras et al.
    2020, appendix B); gain and offset are weaker than there (0.5 and 0.2), because intensity is a phenotype in our
    images. `any_angle` rotates by any angle instead of by quarter turns, and resamples every pixel.
    """

    any_angle: bool = False
    shift: float = 0.125
    scale: float = 0.2
    gain: float = 0.2
    offset: float = 0.1
    noise: float = 0.1
    cutout: float = 0.5


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Adaptive discriminator augmentation (ADA, Karras et al. 2020).

    The probability p of each transform is adapted every `interval` steps so that the mean sign of the scores of real
    images stays at `target`; `speed_kimg` thousand images move p from 0 to 1, and `most` is the largest p.
    """

    adaptive: bool = False
    target: float = 0.6
    interval: int = 4
    speed_kimg: float = 100.0
    most: float = 0.8


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The configuration of one run.

    The run ends after `kimg` thousand real images in all, or after `minutes` of this process. `checkpoint_kimg`,
    `sample_kimg`, `snapshot_kimg` and `quality_kimg` say after how many thousand images something is written again.
    `view` are the transforms of the views of the contrastive term. `ema_kimg` and `ema_rampup` set the running average
    of the weights (`networks.averaging`). `holdout` is the share of the wells that training does not use.
    """

    preset: str = "cpu-64"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    view: TransformConfig = field(default_factory=TransformConfig)
    batch: int = 32
    learning_rate: float = 0.002
    beta1: float = 0.0
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
            raise BadInput(f"batch {self.batch} is too small; the standard deviation over a batch needs 2 images")
        if not 0 < self.learning_rate < math.inf:
            raise BadInput(f"learning rate {self.learning_rate:g} trains nothing; give a number above 0, such as 0.002")
        if not 0 <= self.seed < 2**63:
            raise BadInput(f"seed {self.seed} is not a whole number from 0 to 2^63 - 1; give one, such as 0")
        if not 0 <= self.holdout < 1:
            raise BadInput(f"holdout {self.holdout} is not a share of the wells; give a number from 0 to 0.5")
        if not (0 <= (self.kimg or 0) < math.inf and 0 <= (self.minutes or 0) < math.inf):
            raise BadInput(
                f"kimg {self.kimg} and minutes {self.minutes} must be numbers from 0; "
                "leave both out to train until the run is stopped"
            )

    @property
    def r1_gamma(self) -> float:
        """The weight of R1 that this run uses: the configured one, or else the heuristic of StyleGAN2-ADA."""
        if self.loss.r1_gamma is not None:
            return self.loss.r1_gamma
        # Proportional to the area of an image and inversely to the batch, as StyleGAN2-ADA proposes.
        return float(0.0002 * self.network.resolution**2 / self.batch)

    def to_json(self) -> str:
        """Return the configuration as canonical JSON; `from_json` reads it back equal."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """Read the JSON of `to_json`. Raises BadInput where a field is unknown (a checkpoint of another version)."""
        values: dict[str, Any] = json.loads(text)  # Any: JSON; the dataclasses below check the names
        try:
            parts: dict[str, object] = {
                "network": NetworkConfig(**values.pop("network")),
                "loss": LossConfig(**values.pop("loss")),
                "augment": AugmentConfig(**values.pop("augment")),
                # Checkpoints from before there was a choice have the default.
                "view": TransformConfig(**values.pop("view", {})),
            }
            return cls(**values, **parts)  # type: ignore[arg-type]
        except (TypeError, KeyError) as error:
            raise BadInput(f"the configuration of the checkpoint was written by another version: {error}") from error


_GPU_256 = TrainConfig(
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
)

_CONTRAST_64 = TrainConfig(
    preset="cells-64",
    loss=LossConfig(gan="none", contrast_weight=1.0, contrast_temperature=0.1),
    view=TransformConfig(any_angle=True, gain=0.8, offset=0.3, cutout=0.0),
    batch=128,
    ema_kimg=100.0,
    checkpoint_kimg=400,
    snapshot_kimg=1600,
    quality_kimg=400,
)

PRESETS: Mapping[str, TrainConfig] = {
    "cpu-64": TrainConfig(batch=16, loss=LossConfig(r1_gamma=10.0)),
    "gpu-64": TrainConfig(
        preset="gpu-64",
        loss=LossConfig(r1_gamma=10.0),
        augment=AugmentConfig(adaptive=True),
        batch=128,
        ema_kimg=20.0,
        checkpoint_kimg=200,
        sample_kimg=200,
        snapshot_kimg=400,
        quality_kimg=200,
    ),
    "cells-64": _CONTRAST_64,
    "tiles-64": replace(
        _CONTRAST_64,
        preset="tiles-64",
        view=TransformConfig(any_angle=True, gain=0.5, offset=0.2, cutout=0.3),
        batch=256,
    ),
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
    "gpu-256": _GPU_256,
    "paper": replace(
        _GPU_256,
        preset="paper",
        loss=replace(_GPU_256.loss, lipschitz_weight=10.0, lipschitz_power=1),
        augment=AugmentConfig(),
        batch=32,
        learning_rate=1e-4,
        ema_kimg=10.0,
    ),
}
"""`cpu-64` takes small batches, because the number of steps counts more than their precision in a short run. Its R1 is
far above the heuristic (0.05): on 96 fields of BBBC013 the discriminator wins outright below 1, and at 10 its dense
features keep more of the phenotype than at 1 (docs/training.md). It has no path-length term, because that shapes only
the generator, and on two cores the time is better spent on the discriminator. `cells-64` (single cells) and `tiles-64`
(tiles of fields) train without a generator, by the contrastive term alone (docs/featurizers.md). `paper` is the setting
of the GAN-DL paper: its loss is that of the StyleGAN2 paper (logistic), and the Wasserstein loss is an option."""


def preset(name: str) -> TrainConfig:
    """Return the preset of that name. Raises BadInput where there is none."""
    if name not in PRESETS:
        raise BadInput(f"unknown preset '{name}'; use one of {', '.join(PRESETS)}")
    return PRESETS[name]


def with_input(config: TrainConfig, *, channels: int, resolution: int | None = None) -> TrainConfig:
    """Return `config` for images of that many channels, and of another resolution if one is given."""
    network = replace(config.network, channels=channels, resolution=resolution or config.network.resolution)
    return replace(config, network=network)


def with_changes(config: TrainConfig, changes: Mapping[str, object]) -> TrainConfig:
    """Return `config` with the `changes`, by the names of its fields. Raises BadInput where a value is not valid.

    None leaves a field as it is, and a mapping changes single fields of a part such as `loss`.
    """
    values: dict[str, Any] = {}  # Any: values of many types, checked by the dataclasses
    for name, value in changes.items():
        if isinstance(value, Mapping):
            values[name] = replace(getattr(config, name), **{k: v for k, v in value.items() if v is not None})
        elif value is not None:
            values[name] = value
    return replace(config, **values)
