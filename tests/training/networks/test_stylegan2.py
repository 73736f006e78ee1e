"""Shapes, the batch independence of the features, and configurations that cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from gandl_shared.errors import BadInput
from gandl_training.config import PRESETS, NetworkConfig, TrainConfig, preset
from gandl_training.networks.layers import group_stddev
from gandl_training.networks.stylegan2 import Discriminator, Generator

from tests.training.conftest import TINY


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


def test_judging_is_two_passes_in_one_and_the_running_stddev_follows_the_real_images() -> None:
    discriminator = Discriminator(TINY)
    real, fake = torch.randn(6, 2, 16, 16), 3 * torch.randn(6, 2, 16, 16)
    apart = discriminator(real), discriminator(fake)
    assert discriminator.stddev == 1.0
    together = discriminator.judge(real, fake)
    torch.testing.assert_close(together, apart)
    spread = group_stddev(discriminator.maps(real)[-1], TINY.stddev_group).mean()
    torch.testing.assert_close(discriminator.stddev, 1.0 + 0.01 * (spread - 1.0))


def test_paper_preset_is_the_papers() -> None:
    paper = preset("paper")
    assert (paper.network.mapping_layers, paper.network.style, paper.network.features) == (3, 512, 512)
    assert paper.learning_rate == 1e-4
    assert paper.loss.path_length_weight > 0
    assert (paper.loss.lipschitz_weight > 0, paper.loss.lipschitz_power) == (True, 1)
    assert paper.r1_gamma == pytest.approx(0.0002 * 256**2 / paper.batch)


@pytest.mark.parametrize("name", PRESETS)
def test_configurations_survive_json(name: str) -> None:
    assert TrainConfig.from_json(PRESETS[name].to_json()) == PRESETS[name]


def test_bad_configurations_are_refused() -> None:
    with pytest.raises(BadInput, match="48 is not a power of two"):
        NetworkConfig(resolution=48)
    with pytest.raises(BadInput, match="unknown preset 'gpu'"):
        preset("gpu")
    with pytest.raises(BadInput, match="another version"):
        TrainConfig.from_json(replace(PRESETS["cpu-64"]).to_json().replace('"seed"', '"sead"'))
