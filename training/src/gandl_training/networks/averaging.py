"""The running average of the weights. Evaluation, sample grids and export use the averaged networks."""

from __future__ import annotations

from gandl_training.config import TrainConfig


def ema_decay(kimg: float, config: TrainConfig) -> float:
    """Return the decay of the exponential moving average at one step, 0..1, after `kimg` thousand real images.

    The decay is ½^(batch / half-life). The half-life is `ema_kimg` thousand images, but `ema_rampup` times the images
    so far while that is less, so that a young run forgets its first weights (StyleGAN2-ADA, Karras et al. 2020,
    "Training Generative Adversarial Networks with Limited Data").
    """
    # The floor avoids a division by zero before the first image; the decay is then 0, so the average is the network.
    half_life = min(config.ema_kimg, max(kimg * config.ema_rampup, 1e-6))
    return float(0.5 ** (config.batch / 1000 / half_life))
