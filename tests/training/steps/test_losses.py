"""Each term against a closed form."""

from __future__ import annotations

import math

import pytest
import torch
from gandl_training.steps import losses
from torch import Tensor


def linear(weight: Tensor):
    return lambda images: (images * weight).sum((1, 2, 3))


def quadratic(images: Tensor) -> Tensor:
    return 0.5 * images.square().sum((1, 2, 3))


def test_logistic_losses_are_the_negative_log_likelihoods() -> None:
    real, fake = torch.tensor([0.3, -2.0]), torch.tensor([1.0, -1.0])
    expected = -torch.sigmoid(real).log().mean() - (1 - torch.sigmoid(fake)).log().mean()
    assert losses.logistic_discriminator(real, fake) == pytest.approx(float(expected), rel=1e-6)
    assert losses.logistic_generator(fake) == pytest.approx(float(-torch.sigmoid(fake).log().mean()), rel=1e-6)


def test_wasserstein_losses() -> None:
    real, fake = torch.tensor([3.0, 1.0]), torch.tensor([0.0, 1.0])
    assert losses.wasserstein_discriminator(real, fake) == pytest.approx(-1.5)
    assert losses.wasserstein_generator(fake) == pytest.approx(-0.5)


def test_r1_of_a_quadratic_is_half_the_mean_squared_norm_and_can_be_trained() -> None:
    images = torch.randn(5, 2, 4, 4, requires_grad=True)
    penalty = losses.r1(quadratic(images), images)
    assert penalty.item() == pytest.approx(0.5 * images.square().sum((1, 2, 3)).mean().item(), rel=1e-6)
    weight = torch.randn(2, 4, 4, requires_grad=True)
    (second,) = torch.autograd.grad(losses.r1(linear(weight)(images), images), weight)
    assert torch.allclose(second, weight, atol=1e-6)  # d/dw ½‖w‖² = w


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("norm", [0.5, 1.0, 3.0])
def test_lipschitz_is_one_sided_around_norm_one(norm: float, power: int) -> None:
    weight = torch.ones(2, 4, 4) * norm / math.sqrt(32)
    real, fake = torch.randn(4, 2, 4, 4), torch.randn(4, 2, 4, 4)
    penalty = losses.lipschitz(linear(weight), real, fake, torch.rand(4), power)
    assert penalty.item() == pytest.approx(max(0.0, norm - 1) ** power, abs=1e-5)


def test_lipschitz_looks_between_real_and_fake() -> None:
    real, fake = torch.zeros(3, 1, 2, 2), torch.full((3, 1, 2, 2), 4.0)
    mix = torch.tensor([0.0, 0.5, 1.0])
    norms = torch.tensor([0.0, 4.0, 8.0])  # of the gradient of ½‖x‖², x itself: 2·4·mix
    penalty = losses.lipschitz(quadratic, real, fake, mix, 1)
    assert penalty.item() == pytest.approx((norms - 1).clamp_min(0).mean().item(), rel=1e-5)


def test_path_length_of_a_linear_generator() -> None:
    matrix, styles = torch.randn(18, 5), torch.randn(4, 5, requires_grad=True)
    noise = torch.randn(4, 2, 3, 3)
    images = (styles @ matrix.T).reshape(4, 2, 3, 3)
    expected = (noise.reshape(4, 18) @ matrix).norm(dim=1) / 3  # ‖Jᵀy‖ / √(H·W)
    lengths = losses.path_lengths(images, styles, noise)
    assert torch.allclose(lengths, expected, rtol=1e-5)
    mean = losses.update_mean(torch.tensor(1.0), lengths, decay=0.1)
    penalty = losses.path_length(lengths, mean)
    assert mean.item() == pytest.approx(0.9 + 0.1 * expected.mean().item(), rel=1e-5)
    assert penalty.item() == pytest.approx((expected - mean).square().mean().item(), rel=1e-4)


def test_contrast_is_the_cross_entropy_of_the_other_view() -> None:
    """Two images whose views agree and that are orthogonal: each vector finds its view among three others."""
    views = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    expected = -math.log(math.exp(1 / 0.5) / (math.exp(1 / 0.5) + 2))
    assert losses.contrast(views, 3 * views, 0.5).item() == pytest.approx(expected, rel=1e-5)
    assert losses.contrast(views, views.flip(0), 0.5).item() > expected
