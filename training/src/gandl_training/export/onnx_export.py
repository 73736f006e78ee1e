"""The export: from a checkpoint to an ONNX file that carries its model card and its proof of parity."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from gandl_shared.errors import BadInput, TrainingFailed
from gandl_shared.files.atomic import atomic_file
from gandl_shared.models import METADATA_KEY, ModelCard
from torch import Tensor, nn

from gandl_training.data.crops import Crops
from gandl_training.data.field_store import FieldStore, Uint8
from gandl_training.export.card import Provenance, card_channels, control_metrics, training_record
from gandl_training.export.parity import check_novelty, check_parity, onnx_session
from gandl_training.export.precision import MAX_DIFFERENCE, Precision, convert
from gandl_training.export.weights import Weights
from gandl_training.networks.feature_layer import (
    ORIENTATIONS,
    SCALES,
    FeatureLayer,
    Featurizer,
    Scored,
    Whitened,
)
from gandl_training.networks.stylegan2 import Generator, parameter_count
from gandl_training.run.checkpoint import Checkpoint
from gandl_training.run.run_folder import open_store

OPSET = 20
PARITY_IMAGES = 64
WHITENING_IMAGES = 4096
"""The principal components of features are fitted to so many training crops."""


@dataclass(frozen=True)
class ExportForm:
    """The layer that is exported, and the precision of its arithmetic.

    With `turned`, vectors are means over eight orientations; with `centre`, each is joined with that of the middle half
    of its tile. `components` asks for so many whitened principal components, which are fitted to training images. With
    `novelty`, the model has the discriminator's score as a second output.
    """

    layer: FeatureLayer = FeatureLayer.FC
    precision: Precision = Precision.FLOAT32
    turned: bool = False
    centre: bool = False
    components: int | None = None
    novelty: bool = False


def export_featurizer(run: Path, weights: Weights, form: ExportForm, provenance: Provenance, out: Path) -> ModelCard:
    """Write the discriminator of `run` as ONNX: `images` uint8 [N, C, R, R] → `embedding` float32 [N, features].

    The metadata of the file hold the card with its parity report, and a copy of the card is written beside the file.
    Raises TrainingFailed where torch and ONNX Runtime differ by more than `precision.MAX_DIFFERENCE` (1e-4 for float32)
    or a vector depends on its batch by more than 1e-5, and BadInput where the stains or the data of the run do not fit
    or the folder of `out` does not exist; nothing is written then.
    """
    config = weights.checkpoint.config
    store = open_store(run, config.network)
    channels = card_channels(store.index, provenance)
    check_writable(out)
    if form.novelty:
        check_scores(weights)
    discriminator = weights.discriminator()
    featurizer = Featurizer(discriminator, form.layer, turned=form.turned, centre=form.centre)
    module = _module(featurizer, form.components, store, weights.checkpoint)
    # Parity is checked on training images: random pixels would not reach the range of real activations.
    images = training_crops(store, weights.checkpoint, PARITY_IMAGES, step=0)
    # Three example images: a batch of one would fix the batch size in the graph.
    example, scale = torch.from_numpy(images[:3]), None
    if form.novelty:
        crops = training_crops(store, weights.checkpoint, WHITENING_IMAGES, step=3)
        scored = Scored.fitted(module, torch.from_numpy(crops))
        model = convert(to_onnx(scored, example, "images", "embedding", "novelty"), form.precision)
        scale = check_novelty(scored, model, images, len(crops))
    else:
        model = convert(to_onnx(module, example, "images", "embedding"), form.precision)
    parity = check_parity(module, model, images, MAX_DIFFERENCE[form.precision])
    card = ModelCard(
        name=provenance.name,
        channels=channels,
        size=config.network.resolution,
        downscale=store.index.downscale,
        pixel_size_um=provenance.pixel_size_um,
        features=form.components or featurizer.features,
        tap=form.layer.value,
        orientations=ORIENTATIONS if form.turned else 1,
        scales=SCALES if form.centre else 1,
        whitened=form.components is not None,
        precision=form.precision.value,
        parameters=parameter_count(discriminator),
        training=training_record(run, weights, provenance),
        parity=parity,
        metrics=control_metrics(store, onnx_session(model), config.network.resolution),
        novelty=scale,
    )
    write_model(model, card, out)
    _write((card.model_dump_json(indent=2) + "\n").encode(), out.with_suffix(".card.json"))
    return card


def check_scores(weights: Weights) -> None:
    """Raise BadInput where a discriminator has learnt no score: without a generator, and without training."""
    if weights.untrained or weights.checkpoint.config.loss.gan == "none":
        reason = "is untrained" if weights.untrained else "was trained without a generator (loss 'none')"
        raise BadInput(f"the network {reason}, so its score says nothing; leave --novelty out")


def _module(
    featurizer: Featurizer, components: int | None, store: FieldStore, checkpoint: Checkpoint
) -> Featurizer | Whitened:
    if components is None:
        return featurizer
    images = training_crops(store, checkpoint, WHITENING_IMAGES, step=2)
    return Whitened.fitted(featurizer, torch.from_numpy(images), components)


def training_crops(store: FieldStore, checkpoint: Checkpoint, images: int, *, step: int) -> Uint8:
    """Return crops of the training data, [images, C, R, R]."""
    config = checkpoint.config
    return Crops(store=store, size=config.network.resolution, batch=images, seed=config.seed).at(step)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep back the warnings of torch's exporter about packages that are absent and not needed."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def to_onnx(module: nn.Module, example: Tensor, input_name: str, *output_names: str) -> onnx.ModelProto:
    """Export a module by torch's dynamo exporter, with a free batch dimension."""
    with warnings.catch_warnings(), _quiet_exporter():
        warnings.simplefilter("ignore")  # deprecation notices of the exporter itself
        program = torch.onnx.export(
            module.eval(),
            (example,),
            # The older exporter fails on the low-passes of the network.
            dynamo=True,
            input_names=[input_name],
            output_names=list(output_names),
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            verbose=False,
        )
    if program is None:
        raise TrainingFailed("torch.onnx.export returned no program; this version of torch is not supported")
    model: onnx.ModelProto = program.model_proto
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.functions):
        del part.metadata_props[:]  # stack traces with the paths of this machine
    return model


def write_model(model: onnx.ModelProto, card: ModelCard, out: Path) -> None:
    """Put the card into the metadata and write the file atomically. Raises BadInput where it cannot be written."""
    _write(model_bytes(model, card), out)


def model_bytes(model: onnx.ModelProto, card: ModelCard) -> bytes:
    """Return the file of a model with the card in its metadata."""
    onnx.helper.set_model_props(model, {METADATA_KEY: card.model_dump_json()})
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def check_writable(out: Path) -> None:
    """Raise BadInput where a file `out` cannot be written: its folder does not exist, or it is a folder itself."""
    if not out.parent.is_dir():
        raise BadInput(f"cannot write {out}: folder {out.parent} does not exist; create it, or give another --out")
    if out.is_dir():
        raise BadInput(f"cannot write {out}: it is a folder; give the name of a file")


def _write(content: bytes, out: Path) -> None:
    try:
        with atomic_file(out) as file:
            file.write(content)
    except OSError as error:
        raise BadInput(f"cannot write {out}: {error.strerror}; free some space or give another --out") from error


class SampleGenerator(nn.Module):
    """The generator as it is exported: latent float32 [N, 512] → uint8 images [N, C, R, R], with one fixed noise."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        rng = torch.Generator().manual_seed(0)
        noise = [torch.randn(1, 1, e, e, generator=rng) for e in generator.noise_edges]
        self.noise = nn.ParameterList(nn.Parameter(n, requires_grad=False) for n in noise)

    def forward(self, latent: Tensor) -> Tensor:
        images: Tensor = self.generator(latent, list(self.noise))
        return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def export_generator(checkpoint: Checkpoint, out: Path) -> None:
    """Write the averaged generator: `latent` float32 [N, 512] → `image` uint8 [N, C, R, R]. Raises BadInput."""
    check_writable(out)
    generator = Generator(checkpoint.config.network).eval().requires_grad_(False)
    generator.load_state_dict(checkpoint.state["generator_ema"])
    latent = torch.randn(3, checkpoint.config.network.style, generator=torch.Generator().manual_seed(1))
    _write(to_onnx(SampleGenerator(generator), latent, "latent", "image").SerializeToString(), out)
