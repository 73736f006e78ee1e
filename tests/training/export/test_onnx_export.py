"""What leaves the training: the ONNX file, its card, its parity, its independence of the batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from gandl_shared.errors import BadInput, TrainingFailed
from gandl_shared.models import card_from_metadata
from gandl_training.export import onnx_export as export
from gandl_training.export.precision import precision
from gandl_training.networks.feature_layer import Featurizer, tap
from gandl_training.run import checkpoint as ckpt
from gandl_training.run import loop

from tests.training.conftest import TINY, TINY_RUN, make_plate

PROVENANCE = export.Provenance("tiny", "a test plate", "none", stains=("GFP", "DNA"), commit="1234567")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    config, _ = loop.prepare_run(TINY_RUN, make_plate(tmp_path_factory.mktemp("plate")), out)
    loop.run(replace(config, kimg=0.016), out)
    return out


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("fc", 24),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("pool", 64), ("multi", 2 * 16), ("fine", 2 * (8 + 16 + 16)))
        ),
    ],
)
def test_each_tap_is_exported_with_card_and_parity(run: Path, tmp_path: Path, name: str, width: int) -> None:
    weights = export.Weights(ckpt.load(run / ckpt.CHECKPOINT))
    card = export.export_featurizer(run, weights, export.Form(tap(name)), PROVENANCE, tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    assert card_from_metadata({p.key: p.value for p in model.metadata_props}, file="m.onnx") == card
    assert (card.tap, card.features, card.size, card.training.kimg) == (name, width, 16, 0.016)
    assert card.training.commit == "1234567"  # as given, whatever the run noted
    assert [c.stain for c in card.channels] == ["GFP", "DNA"]
    assert card.parity is not None and card.parity.torch_max < 1e-4 and card.parity.batch_max < 1e-5
    (images,) = model.graph.input
    assert (images.name, images.type.tensor_type.elem_type) == ("images", onnx.TensorProto.UINT8)
    assert images.type.tensor_type.shape.dim[0].dim_param
    call = export.session(model)
    tiles = np.random.default_rng(0).integers(0, 256, (7, 2, 16, 16), dtype=np.uint8)
    expected = Featurizer(weights.discriminator(), tap(name))(torch.from_numpy(tiles)).numpy()
    assert call(tiles).shape == (7, width)
    assert export.relative(call(tiles), expected) < 1e-4


def test_no_gain_is_left_in_the_graph(run: Path, tmp_path: Path) -> None:
    weights = export.Weights(ckpt.load(run / ckpt.CHECKPOINT))
    export.export_featurizer(run, weights, export.Form(), PROVENANCE, tmp_path / "m.onnx")
    operators = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert operators.count("Mul") == 1  # the scaling of the pixels


def test_untrained_and_raw_weights_differ_from_the_average(run: Path) -> None:
    saved = ckpt.load(run / ckpt.CHECKPOINT)
    dense = [
        export.Weights(saved, part, untrained).discriminator().dense.weight
        for part, untrained in (("discriminator_ema", False), ("discriminator", False), ("discriminator", True))
    ]
    assert not torch.equal(dense[0], dense[1])
    torch.manual_seed(saved.config.seed)
    assert not torch.equal(dense[1], dense[2])
    assert export.Weights(saved, untrained=True).kimg == 0


def test_a_model_that_does_not_agree_is_not_written(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = export.Weights(ckpt.load(run / ckpt.CHECKPOINT))
    monkeypatch.setitem(export.LIMITS, "float32", -1.0)
    with pytest.raises(TrainingFailed, match="does not agree with torch"):
        export.export_featurizer(run, weights, export.Form(), PROVENANCE, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_generator(run: Path, tmp_path: Path) -> None:
    saved = ckpt.load(run / ckpt.CHECKPOINT)
    export.export_generator(saved, tmp_path / "g.onnx")
    latent = np.random.default_rng(0).normal(size=(5, TINY.style)).astype(np.float32)
    images = export.session(onnx.load(tmp_path / "g.onnx"))(latent)
    assert (images.shape, images.dtype) == ((5, 2, 16, 16), np.uint8)


def test_wrong_options_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unknown tap 'last'"):
        tap("last")
    weights = export.Weights(ckpt.load(run / ckpt.CHECKPOINT))
    with pytest.raises(BadInput, match="1 stains for 2 channels"):
        export.export_featurizer(run, weights, export.Form(), replace(PROVENANCE, stains=("DNA",)), tmp_path / "m.onnx")
    with pytest.raises(BadInput, match=r"cannot write .*/none/m\.onnx: folder"):
        export.export_featurizer(run, weights, export.Form(), PROVENANCE, tmp_path / "none" / "m.onnx")

    config = ckpt.load(run / ckpt.CHECKPOINT).config
    other = replace(weights.checkpoint, config=replace(config, network=replace(config.network, channels=3)))
    with pytest.raises(BadInput, match=r"data holds fields of 2 channels of 40×40, the checkpoint's network takes 3"):
        export.export_featurizer(run, export.Weights(other), export.Form(), PROVENANCE, tmp_path / "m.onnx")
    assert list(tmp_path.glob("*.onnx")) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["float16", "int8"])
def test_smaller_precisions(run: Path, tmp_path: Path, name: str) -> None:
    weights = export.Weights(ckpt.load(run / ckpt.CHECKPOINT))
    form = export.Form("fc", precision(name))
    card = export.export_featurizer(run, weights, form, PROVENANCE, tmp_path / "m.onnx")
    assert card.precision == name
    assert card.parity is not None and card.parity.batch_max < 1e-5
    outputs = onnx.load(tmp_path / "m.onnx").graph.output
    assert outputs[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    weight_types = {t.data_type for t in onnx.load(tmp_path / "m.onnx").graph.initializer if len(t.dims) == 4}
    assert {"float16": onnx.TensorProto.FLOAT16, "int8": onnx.TensorProto.INT8}[name] in weight_types
