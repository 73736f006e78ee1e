"""The terms of the losses; each is a pure function of scores, images or gradients. Scores are [N], float32.

The papers are:
- Goodfellow et al. 2014, "Generative Adversarial Nets"
- Arjovsky et al. 2017, "Wasserstein GAN"
- Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (WGAN-GP)
- Petzka et al. 2018, "On the Regularization of Wasserstein GANs" (WGAN-LP)
- Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?" (R1)
- Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN" (StyleGAN2)
- Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations" (SimCLR)
- Jeong and Shin 2021, "Training GANs with Stronger Augmentations via Contrastive Discriminator" (ContraD)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return −log σ(real) − log(1 − σ(fake)), the mean over images (Goodfellow et al. 2014)."""
    # −log σ(x) = softplus(−x) and −log(1 − σ(x)) = softplus(x), which do not overflow.
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def logistic_generator(fake: Tensor) -> Tensor:
    """Return −log σ(fake), the non-saturating form (Goodfellow et al. 2014)."""
    return F.softplus(-fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the loss of the critic (Arjovsky et al. 2017)."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """Return the loss of the generator (Arjovsky et al. 2017)."""
    return -fake.mean()


def r1(scores: Tensor, images: Tensor) -> Tensor:
    """Return ½ · mean ‖∂score/∂image‖² over the real images that `scores` was computed from (Mescheder et al. 2018).

    The caller multiplies it with γ. It can be differentiated again, as training needs.
    """
    # The gradient of the summed scores holds, for each image, the gradient of its own score.
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return 0.5 * gradient.square().sum((1, 2, 3)).mean()


def lipschitz(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor, power: int) -> Tensor:
    """Return the one-sided Lipschitz penalty, mean max(0, ‖∇D(x̂)‖₂ − 1)^p (Petzka et al. 2018).

    Here x̂ = real + mix·(fake − real) with `mix` [N] in 0..1. p = 2 is WGAN-LP, and p = 1 is our reading of the
    "Lipschitz L1" of the GAN-DL paper. The penalty is zero for a discriminator that is 1-Lipschitz, unlike that of
    WGAN-GP (Gulrajani et al. 2017), which also penalises slopes below 1.
    """
    # The penalty is measured between real and generated images, where the gradient drives the generator.
    between = torch.lerp(real, fake, mix[:, None, None, None]).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    # The derivative of a square root at 0 is infinite, so a small number is added first.
    norm = gradient.square().sum((1, 2, 3)).add(1e-12).sqrt()
    return (norm - 1).clamp_min(0).pow(power).mean()


def path_lengths(images: Tensor, styles: Tensor, noise: Tensor) -> Tensor:
    """Return ‖Jᵀ_w y‖₂ per image [N]: J is the Jacobian of the image by its style w (StyleGAN2, section 3.2).

    y is `noise` of the shape of the images, scaled by 1/√(H·W) so that the length does not depend on the resolution.
    """
    pixels = images.shape[2] * images.shape[3]
    projection = (images * noise).sum() / pixels**0.5
    # The gradient of the projection is Jᵀ y, so the Jacobian itself is never computed.
    (gradient,) = torch.autograd.grad(projection, styles, create_graph=True)
    return gradient.square().sum(1).add(1e-12).sqrt()


def path_length(lengths: Tensor, mean: Tensor) -> Tensor:
    """Return the mean squared deviation of `lengths` from their running `mean` (StyleGAN2, section 3.2)."""
    return (lengths - mean).square().mean()


def update_mean(mean: Tensor, lengths: Tensor, decay: float = 0.01) -> Tensor:
    """Return the running mean, moved towards the mean of `lengths`; no gradient passes through it.

    The decay of 0.01 is that of the StyleGAN2 implementation.
    """
    return torch.lerp(mean, lengths.detach().mean(), decay)


def contrast(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """Return the contrastive loss of two views [N, D] of the same N images (NT-Xent, Chen et al. 2020).

    Each of the 2N vectors is to find the other view of its image among the 2N − 1 other vectors, by the cosine between
    them divided by `temperature`. ContraD (Jeong and Shin 2021) trains the discriminator of a GAN by it.
    """
    vectors = F.normalize(torch.cat([one, other]), dim=1)
    similarity = vectors @ vectors.T / temperature
    # A vector is not to find itself.
    similarity = similarity - torch.diag(torch.full((len(vectors),), 1e9, device=vectors.device))
    images = torch.arange(len(one), device=one.device)
    return F.cross_entropy(similarity, torch.cat([images + len(one), images]))


DISCRIMINATOR_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "logistic": logistic_discriminator,
    "wasserstein": wasserstein_discriminator,
}
GENERATOR_LOSSES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "logistic": logistic_generator,
    "wasserstein": wasserstein_generator,
}
