"""Fine-tuning on a small plate with a small network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gandl_embedding.engine import Engine
from gandl_shared.errors import BadInput
from gandl_shared.testing import Layout, write_plate
from gandl_training.classifier.fine_tuning import FineTuning, fine_tune
from gandl_training.data.source import Source
from gandl_training.export.card import Provenance
from gandl_training.networks.densenet import DenseNet, DenseNetShape

SMALL = DenseNetShape(blocks=(1, 1), growth=4, initial=8, bottleneck=2)
OPTIONS = FineTuning(label="role", size=32, steps=12, batch=8, learning_rate=3e-3, shape=SMALL)
PROVENANCE = Provenance(name="densenet", data="a small plate", licence="CC0")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A plate whose positive controls are brighter."""
    plate = write_plate(tmp_path / "plate", Layout(rows="ABCDE", columns=4, size=64))
    return Source(plate.images, plate.platemap, downscale=1, channel_names=("GFP", "DNA"))


def test_controls_are_learnt_and_the_features_are_a_featurizer(source: Source, tmp_path: Path) -> None:
    losses: list[float] = []
    card = fine_tune(OPTIONS, source, PROVENANCE, tmp_path / "m.onnx", on_step=lambda _, loss: losses.append(loss))
    assert len(losses) == 12 and losses[-1] < losses[0]
    engine = Engine.load(tmp_path / "m.onnx")
    assert engine.card == card
    assert card.name == "densenet-random-weights"
    assert card.training.data == "random weights, fine-tuned on a small plate by the labels of role"
    assert card.training.kimg == pytest.approx(0.096)
    assert 0 <= card.metrics["held_out_accuracy"] <= 1
    tiles = np.random.default_rng(0).integers(0, 256, (3, 2, 32, 32), np.uint8)
    assert engine.embed(tiles).shape == (3, card.features)
    assert card.channel_names == ("GFP", "DNA") and card.limits.high[0] > card.limits.low[0]


def test_a_file_of_weights_is_named_with_its_hash(tmp_path: Path) -> None:
    torch.save(DenseNet(5, SMALL).state_dict(), tmp_path / "w.pth")
    options = replace(OPTIONS, weights=tmp_path / "w.pth")
    assert options.origin.startswith("w.pth (SHA-256 ")


def test_what_cannot_be_trained_is_refused_before_anything_is_written(source: Source, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a tile of 16 pixels is too small"):
        replace(OPTIONS, size=16)
    with pytest.raises(BadInput, match="learning rate"):
        replace(OPTIONS, learning_rate=0)
    with pytest.raises(BadInput, match="there is no file of weights"):
        fine_tune(replace(OPTIONS, weights=tmp_path / "absent.pth"), source, PROVENANCE, tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="no column dose"):
        fine_tune(replace(OPTIONS, label="dose"), source, PROVENANCE, tmp_path / "m.onnx")
    assert not list(tmp_path.glob("*.onnx"))
