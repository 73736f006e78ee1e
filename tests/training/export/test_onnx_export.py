"""What leaves the training: the ONNX file, its card, its parity, its independence of the batch."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from gandl_embedding.engine import Engine
from gandl_shared.errors import BadInput, TrainingFailed
from gandl_shared.models import card_from_metadata
from gandl_training.export import onnx_export as export
from gandl_training.export.card import Provenance
from gandl_training.export.onnx_export import ExportForm
from gandl_training.export.parity import onnx_session, relative_difference
from gandl_training.export.precision import Precision
from gandl_training.export.weights import Weights
from gandl_training.networks.feature_layer import FeatureLayer, Featurizer, Whitened, orientations
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.run_folder import open_store

from benchmarks.training.scales import centre
from tests.training.small_run import TINY, TINY_RUN, make_plate, train_to

PROVENANCE = Provenance(name="tiny", data="a test plate", licence="none", stains=("GFP", "DNA"), commit="1234567")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    train_to(TINY_RUN, make_plate(tmp_path_factory.mktemp("plate")), out, 0.016)
    return out


@pytest.fixture(autouse=True)
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit components and the scale of the novelty to an eighth of the images, which changes nothing but the time."""
    monkeypatch.setattr(export, "WHITENING_IMAGES", 512)


@pytest.mark.parametrize(
    ("layer", "width"),
    [
        (FeatureLayer.FC, 24),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in ((FeatureLayer.POOL, 64), (FeatureLayer.MULTI, 2 * 16), (FeatureLayer.FINE, 2 * (8 + 16 + 16)))
        ),
    ],
)
def test_each_layer_is_exported_with_card_and_parity(
    run: Path, tmp_path: Path, layer: FeatureLayer, width: int
) -> None:
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    card = export.export_featurizer(run, weights, ExportForm(layer), PROVENANCE, tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    assert card_from_metadata({p.key: p.value for p in model.metadata_props}, file="m.onnx") == card
    assert (card.tap, card.features, card.size, card.training.kimg) == (layer.value, width, 16, 0.016)
    assert card.training.commit == "1234567"  # as in the provenance, whatever the run recorded
    assert [c.stain for c in card.channels] == ["GFP", "DNA"]
    assert card.parity is not None and card.parity.torch_max < 1e-4 and card.parity.batch_max < 1e-5
    (images,) = model.graph.input
    assert (images.name, images.type.tensor_type.elem_type) == ("images", onnx.TensorProto.UINT8)
    assert images.type.tensor_type.shape.dim[0].dim_param
    call = onnx_session(model)
    tiles = np.random.default_rng(0).integers(0, 256, (7, 2, 16, 16), dtype=np.uint8)
    expected = Featurizer(weights.discriminator(), layer)(torch.from_numpy(tiles)).numpy()
    assert call(tiles).shape == (7, width)
    assert relative_difference(call(tiles), expected) < 1e-4


def test_turned_and_whitened_vectors_are_exported(run: Path, tmp_path: Path) -> None:
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    form = ExportForm(FeatureLayer.ALL, turned=True, components=10)
    card = export.export_featurizer(run, weights, form, PROVENANCE, tmp_path / "m.onnx")
    assert (card.tap, card.features, card.orientations, card.whitened) == ("all", 10, 8, True)
    call = onnx_session(onnx.load(tmp_path / "m.onnx"))
    tiles = np.random.default_rng(0).integers(0, 256, (7, 2, 16, 16), dtype=np.uint8)
    assert relative_difference(call(tiles[:, :, ::-1].copy()), call(tiles)) < 1e-4


@pytest.mark.parametrize("turned", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_middle_half_has_the_vector_that_its_own_image_has(run: Path, tmp_path: Path, turned: bool) -> None:
    """Tiles that were cropped and enlarged by Pillow and embedded by the plain export are the reference."""
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    forms = {"plain": ExportForm(turned=turned), "joined": ExportForm(turned=turned, centre=True)}
    cards = {n: export.export_featurizer(run, weights, f, PROVENANCE, tmp_path / n) for n, f in forms.items()}
    assert [(card.scales, card.features) for card in cards.values()] == [(1, 24), (2, 48)]
    models = {name: onnx.load(tmp_path / name) for name in forms}
    plain, joined = (onnx_session(model) for model in models.values())
    # The weights of the interpolation are sixteenths, so that Pillow rounds nothing.
    tiles = np.random.default_rng(0).integers(0, 16, (7, 2, 16, 16), dtype=np.uint8) * 16
    expected = np.concatenate([plain(tiles), plain(centre(tiles))], axis=1)
    assert relative_difference(joined(tiles), expected) < 1e-5
    sizes = [model.ByteSize() for model in models.values()]
    assert sizes[1] - sizes[0] < 4096  # the weights are in the file once


def test_both_scales_are_whitened_together_and_in_float16(run: Path, tmp_path: Path) -> None:
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    form = ExportForm(precision=Precision.FLOAT16, centre=True, components=10)
    card = export.export_featurizer(run, weights, form, PROVENANCE, tmp_path / "m.onnx")
    assert (card.scales, card.features, card.whitened, card.precision) == (2, 10, True, "float16")
    tiles = np.random.default_rng(0).integers(0, 256, (7, 2, 16, 16), dtype=np.uint8)
    featurizer = Featurizer(weights.discriminator(), FeatureLayer.FC, centre=True)
    crops = torch.from_numpy(
        export.training_crops(open_store(run, TINY), weights.checkpoint, export.WHITENING_IMAGES, step=2)
    )
    expected = Whitened.fitted(featurizer, crops, 10)(torch.from_numpy(tiles)).numpy()
    assert relative_difference(onnx_session(onnx.load(tmp_path / "m.onnx"))(tiles), expected) < 5e-3


def test_no_gain_is_left_in_the_graph(run: Path, tmp_path: Path) -> None:
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    export.export_featurizer(run, weights, ExportForm(), PROVENANCE, tmp_path / "m.onnx")
    operators = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert operators.count("Mul") == 1  # the scaling of the pixels


def test_a_model_that_does_not_agree_is_not_written(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    monkeypatch.setitem(export.MAX_DIFFERENCE, Precision.FLOAT32, -1.0)
    with pytest.raises(TrainingFailed, match="does not agree with torch"):
        export.export_featurizer(run, weights, ExportForm(), PROVENANCE, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_generator(run: Path, tmp_path: Path) -> None:
    saved = ckpt.load(run / ckpt.CHECKPOINT)
    export.export_generator(saved, tmp_path / "g.onnx")
    latent = np.random.default_rng(0).normal(size=(5, TINY.style)).astype(np.float32)
    images = onnx_session(onnx.load(tmp_path / "g.onnx"))(latent)
    assert (images.shape, images.dtype) == ((5, 2, 16, 16), np.uint8)


def test_wrong_options_are_refused(run: Path, tmp_path: Path) -> None:
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    with pytest.raises(BadInput, match="1 stains for 2 channels"):
        export.export_featurizer(run, weights, ExportForm(), replace(PROVENANCE, stains=("DNA",)), tmp_path / "m.onnx")
    with pytest.raises(BadInput, match=r"cannot write .*/none/m\.onnx: folder"):
        export.export_featurizer(run, weights, ExportForm(), PROVENANCE, tmp_path / "none" / "m.onnx")

    config = ckpt.load(run / ckpt.CHECKPOINT).config
    other = replace(weights.checkpoint, config=replace(config, network=replace(config.network, channels=3)))
    with pytest.raises(BadInput, match=r"data holds fields of 2 channels of 40×40, the checkpoint's network needs 3"):
        export.export_featurizer(run, Weights(checkpoint=other), ExportForm(), PROVENANCE, tmp_path / "m.onnx")
    assert list(tmp_path.glob("*.onnx")) == []


@pytest.mark.parametrize(
    "form",
    [
        ExportForm(novelty=True),
        ExportForm(centre=True, novelty=True),
        pytest.param(ExportForm(FeatureLayer.ALL, turned=True, components=10, novelty=True), marks=pytest.mark.slow),
    ],
)
def test_the_score_of_the_discriminator_becomes_a_second_output(run: Path, tmp_path: Path, form: ExportForm) -> None:
    weights = Weights(checkpoint=ckpt.load(run / ckpt.CHECKPOINT))
    out = tmp_path / "m.onnx"
    card = export.export_featurizer(run, weights, form, PROVENANCE, out)
    engine = Engine.load(out, threads=1)
    tiles = np.random.default_rng(0).integers(0, 256, (7, 2, 16, 16), dtype=np.uint8)
    rows, scale = engine.rows(tiles), card.novelty
    assert rows.shape == (7, card.features + 1)
    assert scale is not None and max(scale.torch_max, scale.batch_max) < 0.01
    # The score does not depend on the other tiles of a batch, as that of the training does.
    alone = np.concatenate([engine.rows(tile[None]) for tile in tiles])
    np.testing.assert_allclose(alone[:, -1], rows[:, -1], atol=0.01)
    discriminator = weights.discriminator().eval()
    pixels = torch.from_numpy(tiles).float() / 127.5 - 1
    with torch.no_grad():
        scores = discriminator.score(discriminator.features(orientations(pixels) if form.turned else pixels))[:, 0]
    mean_scores = scores.reshape(-1, 7).mean(0).numpy()
    np.testing.assert_allclose(rows[:, -1], (scale.mean - mean_scores) / scale.deviation, atol=0.01)
    if form.layer is FeatureLayer.FC:
        features = discriminator.features(pixels).detach()
        np.testing.assert_allclose(engine.embed(tiles)[:, :24], features, rtol=1e-3, atol=1e-4)


def test_a_network_without_a_generator_has_no_novelty(run: Path, tmp_path: Path) -> None:
    checkpoint = ckpt.load(run / ckpt.CHECKPOINT)
    config = replace(checkpoint.config, loss=replace(checkpoint.config.loss, gan="none", contrast_weight=1.0))
    form, out = ExportForm(novelty=True), tmp_path / "m.onnx"
    with pytest.raises(BadInput, match=r"trained without a generator \(loss 'none'\), so its score says nothing"):
        export.export_featurizer(run, Weights(checkpoint=replace(checkpoint, config=config)), form, PROVENANCE, out)
    with pytest.raises(BadInput, match="the network is untrained, so its score says nothing"):
        export.export_featurizer(run, Weights(checkpoint=checkpoint, untrained=True), form, PROVENANCE, out)
    assert not out.exists()


def test_the_exporter_does_not_tell_of_packages_that_nobody_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[int] = []
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: levels.append(logger.getEffectiveLevel()))
    with pytest.raises(TrainingFailed, match="returned no program"):
        export.to_onnx(torch.nn.Linear(2, 2), torch.zeros(1, 2), "x", "y")
    assert levels == [logging.ERROR]  # the notes are warnings
    assert logger.level == before
