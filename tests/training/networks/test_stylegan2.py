"""Shapes of both networks, and features that do not depend on the batch."""

from __future__ import annotations

import torch
from gandl_training.networks.layers import group_stddev
from gandl_training.networks.stylegan2 import Discriminator, Generator

from tests.training.small_run import TINY


def test_shapes() -> None:
    generator, discriminator = Generator(TINY), Discriminator(TINY)
    noise = [torch.randn(3, 1, e, e) for e in generator.noise_edges]
    images = generator(torch.randn(3, TINY.style), noise)
    assert images.shape == (3, 2, 16, 16)
    assert discriminator(images).shape == (3,)
    assert discriminator.features(images).shape == (3, TINY.features)


def test_features_never_depend_on_the_batch_but_scores_do() -> None:
    discriminator = Discriminator(TINY)
    images = torch.randn(8, 2, 16, 16)
    together = discriminator.features(images)
    alone = torch.cat([discriminator.features(image[None]) for image in images])
    assert torch.allclose(together, alone, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(discriminator(images)[:1], discriminator(images[:1]), rtol=1e-5)


def test_scoring_both_is_two_passes_in_one_and_the_running_stddev_follows_the_real_images() -> None:
    discriminator = Discriminator(TINY)
    real, fake = torch.randn(6, 2, 16, 16), 3 * torch.randn(6, 2, 16, 16)
    apart = discriminator(real), discriminator(fake)
    assert discriminator.stddev == 1.0
    together = discriminator.score_both(real, fake)
    torch.testing.assert_close(together, apart)
    spread = group_stddev(discriminator.maps(real)[-1], TINY.stddev_group).mean()
    torch.testing.assert_close(discriminator.stddev, 1.0 + 0.01 * (spread - 1.0))
