"""The presets, the JSON of a configuration, and values that are refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from gandl_shared.errors import BadInput
from gandl_training.config import PRESETS, LossConfig, NetworkConfig, TrainConfig, preset, with_changes, with_input


def test_the_paper_preset_is_the_setting_of_the_paper() -> None:
    paper = preset("paper")
    assert (paper.network.mapping_layers, paper.network.style, paper.network.features) == (3, 512, 512)
    assert paper.learning_rate == 1e-4
    assert paper.loss.path_length_weight > 0
    assert (paper.loss.lipschitz_weight > 0, paper.loss.lipschitz_power) == (True, 1)
    assert paper.r1_gamma == pytest.approx(0.0002 * 256**2 / paper.batch)
    assert (paper.network, paper.augment.adaptive) == (preset("gpu-256").network, False)


@pytest.mark.parametrize("name", PRESETS)
def test_configurations_survive_json(name: str) -> None:
    assert TrainConfig.from_json(PRESETS[name].to_json()) == PRESETS[name]
    assert PRESETS[name].preset == name


def test_the_keys_of_the_json_are_those_of_older_checkpoints() -> None:
    """A renamed field would make every checkpoint of the released models unreadable."""
    network = "channels channels_last discriminator_base discriminator_most features generator_base generator_most"
    assert sorted(asdict(NetworkConfig())) == [
        *network.split(),
        "mapping_layers",
        "resolution",
        "stddev_group",
        "style",
    ]
    top = "augment batch beta1 beta2 bf16 checkpoint_kimg ema_kimg ema_rampup holdout kimg learning_rate loss minutes"
    rest = "network preset quality_kimg sample_kimg seed snapshot_kimg view"
    assert sorted(asdict(TrainConfig())) == [*top.split(), *rest.split()]


def test_a_checkpoint_from_before_views_were_configured_has_those_of_then() -> None:
    older = json.loads(PRESETS["gpu-64"].to_json())
    del older["view"], older["beta1"]
    assert TrainConfig.from_json(json.dumps(older)) == PRESETS["gpu-64"]


def test_the_widths_of_blocks_halve_with_the_edge_up_to_their_limit() -> None:
    network = NetworkConfig(resolution=64, generator_base=1024, generator_most=100)
    assert network.edges == (64, 32, 16, 8, 4)
    assert [network.generator_width(edge) for edge in network.edges] == [16, 32, 64, 100, 100]


def test_changes_replace_fields_and_parts_and_none_leaves_them() -> None:
    config = with_changes(preset("gpu-128"), {"batch": 8, "seed": None, "loss": {"r1_gamma": 3.0, "gan": None}})
    assert (config.batch, config.loss.r1_gamma) == (8, 3.0)
    expected = replace(preset("gpu-128"), batch=8, loss=replace(preset("gpu-128").loss, r1_gamma=3.0))
    assert config == expected
    assert with_input(config, channels=5).network == replace(config.network, channels=5)
    assert with_input(config, channels=5, resolution=32).network.resolution == 32


def test_bad_configurations_are_refused() -> None:
    with pytest.raises(BadInput, match="48 is not a power of two"):
        NetworkConfig(resolution=48)
    with pytest.raises(BadInput, match="channels is 0; a model needs at least one"):
        NetworkConfig(channels=0)
    with pytest.raises(BadInput, match="unknown preset 'gpu'"):
        preset("gpu")
    with pytest.raises(BadInput, match="another version"):
        TrainConfig.from_json(replace(PRESETS["cpu-64"]).to_json().replace('"seed"', '"sead"'))


def test_no_adversarial_loss_needs_the_contrastive_term() -> None:
    assert LossConfig(gan="none", contrast_weight=1.0).gan == "none"
    with pytest.raises(BadInput, match="the loss 'none' needs the contrast term"):
        LossConfig(gan="none")
    with pytest.raises(BadInput, match="temperature 0 is not above 0"):
        LossConfig(contrast_weight=1.0, contrast_temperature=0)
