"""The discriminator with random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_embedding.engine import Engine
from gandl_shared.errors import BadInput
from gandl_shared.models import Channel
from gandl_training.export.untrained import UntrainedForm, untrained_draft, untrained_model

FORM = UntrainedForm(
    name="untrained:3:multi",
    channels=(Channel(name="GFP"), Channel(name="DNA")),
    size=16,
    downscale=2,
    seed=3,
    layer="multi",
)
TILES = np.random.default_rng(0).integers(0, 256, (6, 2, 16, 16), np.uint8)


def test_the_weights_follow_from_the_seed_and_the_card_says_that_they_are_random() -> None:
    engine = Engine.of_bytes(untrained_model(FORM, TILES), FORM.name)
    assert engine.card.training.data == "random weights"
    assert engine.card.training.kimg == 0 and engine.card.training.seed == 3
    assert engine.card.parity is not None and engine.card.parity.torch_max < 1e-4
    assert engine.card.model_copy(update={"parity": None}) == untrained_draft(FORM)
    assert engine.embed(TILES).shape == (6, engine.card.features)
    weights = [FORM.discriminator().dense.weight, FORM.discriminator().dense.weight]
    assert weights[0].equal(weights[1])
    assert not weights[0].equal(replace(FORM, seed=4).discriminator().dense.weight)


def test_sizes_and_layers_that_the_network_does_not_have() -> None:
    with pytest.raises(BadInput, match="resolution 20 is not a power of two"):
        untrained_draft(replace(FORM, size=20))
    with pytest.raises(BadInput, match="unknown tap 'top'"):
        untrained_draft(replace(FORM, layer="top"))
    with pytest.raises(BadInput, match="unknown preset 'large'; use one of"):
        untrained_draft(replace(FORM, preset="large"))


def test_a_preset_has_its_own_widths() -> None:
    wide = replace(FORM, preset="gpu-128")
    assert (wide.config.resolution, wide.config.channels) == (FORM.size, len(FORM.channels))
    assert untrained_draft(wide).parameters > untrained_draft(FORM).parameters
