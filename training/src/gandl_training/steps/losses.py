"""The terms of the training, each a pure function of scores, images or gradients. Scores are [N], float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """−log σ(real) − log(1 − σ(fake)), mean over images (Goodfellow et al. 2014)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def logistic_generator(fake: Tensor) -> Tensor:
    """−log σ(fake): the non-saturating form (Goodfellow et al. 2014)."""
    return F.softplus(-fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's loss of Arjovsky et al. 2017."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """The generator's loss of Arjovsky et al. 2017."""
    return -fake.mean()


def r1(scores: Tensor, images: Tensor) -> Tensor:
    """½ · mean ‖∂score/∂image‖² over real images that `scores` was computed from (Mescheder et al. 2018).

    The caller multiplies with γ. Differentiable again, so it can be trained.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return 0.5 * gradient.square().sum((1, 2, 3)).mean()


def lipschitz(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor, power: int) -> Tensor:
    """One-sided Lipschitz penalty mean max(0, ‖∇D(x̂)‖₂ − 1)^p at x̂ = real + mix·(fake − real) (Petzka et al. 2018).

    `mix` is [N] in 0..1. p = 1 is the paper's "Lipschitz L1", p = 2 WGAN-LP. Zero for a 1-Lipschitz discriminator.
    """
    between = torch.lerp(real, fake, mix[:, None, None, None]).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    norm = gradient.square().sum((1, 2, 3)).add(1e-12).sqrt()
    return (norm - 1).clamp_min(0).pow(power).mean()


def path_lengths(images: Tensor, styles: Tensor, noise: Tensor) -> Tensor:
    """‖Jᵀ_w y‖₂ per image [N], y = `noise` of the images' shape, scaled by 1/√(H·W) (StyleGAN2, section 3.2)."""
    pixels = images.shape[2] * images.shape[3]
    projection = (images * noise).sum() / pixels**0.5
    (gradient,) = torch.autograd.grad(projection, styles, create_graph=True)
    return gradient.square().sum(1).add(1e-12).sqrt()


def path_length(lengths: Tensor, mean: Tensor) -> Tensor:
    """Mean squared deviation of `lengths` from their running `mean` (StyleGAN2, section 3.2)."""
    return (lengths - mean).square().mean()


def moved_mean(mean: Tensor, lengths: Tensor, decay: float = 0.01) -> Tensor:
    """The running mean a step nearer to the mean of `lengths`; no gradient flows."""
    return torch.lerp(mean, lengths.detach().mean(), decay)


DISCRIMINATOR: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "logistic": logistic_discriminator,
    "wasserstein": wasserstein_discriminator,
}
GENERATOR: Mapping[str, Callable[[Tensor], Tensor]] = {
    "logistic": logistic_generator,
    "wasserstein": wasserstein_generator,
}
