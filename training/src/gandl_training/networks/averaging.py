"""Running averages of the weights: the networks that are watched, sampled from and exported."""

from __future__ import annotations

from gandl_training.config import TrainConfig


def ema_keep(shown: float, config: TrainConfig) -> float:
    """Share of the average, 0..1, that one step keeps once `shown` thousand real images have been shown.

    ½^(batch / half-life): the half-life is `ema_kimg` thousand images, but `ema_rampup` times those shown while that
    is less, so that a young run forgets its first weights (StyleGAN2-ADA, Karras et al. 2020, NVIDIA's training loop).
    """
    half_life = min(config.ema_kimg, max(shown * config.ema_rampup, 1e-6))
    return float(0.5 ** (config.batch / 1000 / half_life))
