"""A featurizer by name or file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from gandl.featurizers.by_name import featurizer
from gandl_embedding.engine import Engine, Precision
from gandl_shared.errors import BadInput, NotFound

from tests.cli.featurizers.tile_samples import FORM, noise, sample
from tests.embedding.fixtures.tiny_model import tiny_model


@pytest.mark.parametrize("name", ["intensity", "pca"])
def test_a_baseline_by_name(name: str) -> None:
    embedder = featurizer(name, FORM, sample)
    vectors = embedder.embed(noise(7))
    assert vectors.shape == (7, embedder.card.features)
    assert vectors.dtype == np.float32 and np.isfinite(vectors).all()
    assert embedder.card.name == name


def test_a_file(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "m.onnx")
    assert featurizer(str(path), FORM, sample).model_id == Engine.load(path).model_id
    with pytest.raises(NotFound, match=r"there is no model file .*absent\.onnx"):
        featurizer(str(tmp_path / "absent.onnx"), FORM, sample)


def test_an_untrained_network_needs_the_training_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gandl_training.export.untrained", None)
    with pytest.raises(BadInput, match=r"untrained:4:multi needs the training package.*gandl\[train\]"):
        featurizer("untrained:4", FORM, sample)


def test_a_baseline_has_no_precision_to_choose() -> None:
    with pytest.raises(BadInput, match="--precision is for the file of a model; the baseline intensity has none"):
        featurizer("intensity", FORM, sample, precision=Precision.BFLOAT16)
