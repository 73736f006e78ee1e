"""The running average of the weights against its definition, a half-life in images."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl_training.config import TrainConfig
from gandl_training.networks.averaging import ema_decay


@pytest.mark.parametrize(
    ("kimg", "half_life"),
    [(10.0, 0.5), (50.0, 2.5), (100.0, 5.0), (1000.0, 5.0)],  # a twentieth of the images so far, at most 5 kimg
)
def test_averages_have_a_half_life_that_grows_with_the_run(kimg: float, half_life: float) -> None:
    config = TrainConfig(batch=20, ema_kimg=5.0, ema_rampup=0.05)
    decay = ema_decay(kimg, config)
    assert decay ** (half_life * 1000 / config.batch) == pytest.approx(0.5)
    assert ema_decay(kimg, replace(config, batch=40)) == pytest.approx(decay**2)


def test_the_first_average_is_the_network() -> None:
    assert ema_decay(0.0, TrainConfig()) == 0.0
