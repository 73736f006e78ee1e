"""Fine-tuning of DenseNet-121 on labels of wells, and the export of its features."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from gandl_shared.errors import BadInput, TrainingFailed
from gandl_shared.imaging import tile_origins
from gandl_shared.models import ModelCard, TrainingRecord
from torch import Tensor, nn

from gandl_training.classifier.labels import LabelledFields, check_labels, labelled_fields
from gandl_training.data.crops import draw_crop
from gandl_training.data.field_store import FieldStore, Uint8
from gandl_training.data.packing import pack
from gandl_training.data.source import Source, plate_map_of
from gandl_training.export.card import Provenance, card_channels
from gandl_training.export.onnx_export import check_writable, to_onnx, write_model
from gandl_training.export.parity import check_parity
from gandl_training.export.precision import MAX_DIFFERENCE, Precision
from gandl_training.networks.densenet import DenseNetShape, PlateDenseNet, load_weights

RANDOM_WEIGHTS = "random weights"
PARITY_IMAGES = 16
MIN_SIZE = 32
"""The network halves the edge of a tile five times."""


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """How to fine-tune. `weights` is a file of torchvision's state dict; None starts from random weights."""

    label: str
    size: int = 64
    steps: int = 300
    batch: int = 32
    learning_rate: float = 3e-4
    seed: int = 0
    weights: Path | None = None
    shape: DenseNetShape | None = None

    def __post_init__(self) -> None:
        if self.size < MIN_SIZE:
            raise BadInput(f"a tile of {self.size} pixels is too small; DenseNet-121 needs {MIN_SIZE} or more")
        if not 0 < self.learning_rate < math.inf:
            raise BadInput(f"learning rate {self.learning_rate} is not valid; give one above 0, such as 0.0003")

    @property
    def origin(self) -> str:
        """Where the weights come from, for the card."""
        if self.weights is None:
            return RANDOM_WEIGHTS
        with self.weights.open("rb") as file:
            return f"{self.weights.name} (SHA-256 {hashlib.file_digest(file, 'sha256').hexdigest()[:12]})"


class Features(nn.Module):
    """The module that is exported: uint8 tiles [N, C, S, S] → float32 features [N, width]."""

    def __init__(self, network: PlateDenseNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.vectors(images)


def fine_tune(
    options: FineTuning,
    source: Source,
    provenance: Provenance,
    out: Path,
    *,
    command: str = "unknown",
    on_step: Callable[[int, float], None] = lambda _step, _loss: None,
) -> ModelCard:
    """Fine-tune on the images of `source` and write the features as an ONNX featurizer to `out`, with its card.

    Raises BadInput and NotEnoughData for labels, images, weights or a folder that cannot be used, and TrainingFailed
    for a loss that is not finite.
    """
    check_writable(out)
    plate_map = plate_map_of(source)
    # Images take minutes to pack, so what is wrong with labels or weights is told first.
    check_labels(plate_map, options.label)
    if options.weights is not None:
        load_weights(PlateDenseNet(3, 2, options.shape).network, options.weights)
    torch.manual_seed(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        store = pack(source, Path(scratch, "data"), size=options.size)
        labels = labelled_fields(plate_map, store.index.records, options.label, seed=options.seed)
        network = PlateDenseNet(store.channels, len(labels.classes), options.shape)
        if options.weights is not None:
            load_weights(network.network, options.weights)
        train(network, store, labels, options, on_step)
        network.eval().requires_grad_(False)
        accuracy = held_out_accuracy(network, store, labels, options.size)
        images = np.stack([_grid(store, i, options.size)[0] for i in range(min(PARITY_IMAGES, len(store.fields)))])
        model = to_onnx(Features(network), torch.from_numpy(images[:2].repeat(2, axis=0)[:3]), "images", "embedding")
        parity = check_parity(Features(network), model, images, MAX_DIFFERENCE[Precision.FLOAT32])
        card = ModelCard(
            name=_name(options, provenance.name),
            channels=card_channels(store.index, provenance),
            size=options.size,
            downscale=source.downscale,
            pixel_size_um=provenance.pixel_size_um,
            features=network.network.width,
            tap="densenet121",
            parameters=sum(each.numel() for each in network.parameters()),
            normalisation="per channel (x - low) / (high - low) to 0..255, rounded, clipped; mixed to 3 inside",
            training=TrainingRecord(
                data=f"{options.origin}, fine-tuned on {provenance.data} by the labels of {options.label}",
                licence=provenance.licence,
                attribution=provenance.attribution,
                kimg=options.steps * options.batch / 1000,
                seed=options.seed,
                command=command,
                version=version("gandl-training"),
                commit=provenance.commit,
            ),
            parity=parity,
            metrics={"held_out_accuracy": round(accuracy, 4)},
        )
    write_model(model, card, out)
    return card


def train(
    network: PlateDenseNet,
    store: FieldStore,
    labels: LabelledFields,
    options: FineTuning,
    on_step: Callable[[int, float], None],
) -> None:
    """Train in place by cross-entropy (Adam). Each class has the same share of crops, however many wells it has."""
    optimiser = torch.optim.Adam(network.parameters(), options.learning_rate)
    rng = np.random.default_rng(options.seed)
    fields = [np.array(each, np.intp) for each in labels.training]
    network.train()
    for step in range(options.steps):
        # Every batch has its share of each class, so that the moments of batch normalisation hardly vary.
        targets = rng.permutation(np.resize(rng.permutation(len(fields)), options.batch))
        crops = np.stack([draw_crop(store, fields[target], options.size, rng) for target in targets])
        loss = nn.functional.cross_entropy(network(torch.from_numpy(crops)), torch.from_numpy(targets))
        if not torch.isfinite(loss):
            raise TrainingFailed(f"the loss is not finite after {step} steps; give a smaller --learning-rate")
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        on_step(step + 1, loss.item())


def held_out_accuracy(network: PlateDenseNet, store: FieldStore, labels: LabelledFields, size: int) -> float:
    """Return the share of held-out wells with the right class, each class with the same weight.

    A well has the class of the largest mean logit over its tiles.
    """
    right: dict[int, list[bool]] = {}
    with torch.no_grad():
        for label, fields in labels.held_out:
            logits = torch.cat([network(torch.from_numpy(_grid(store, i, size))) for i in fields]).mean(0)
            right.setdefault(label, []).append(int(logits.argmax()) == label)
    return float(np.mean([np.mean(each) for each in right.values()]))


def _grid(store: FieldStore, field: int, size: int) -> Uint8:
    """Return the tiles of a field, as a screen cuts them."""
    pixels = store.fields[field]
    origins = tile_origins(pixels.shape[1], pixels.shape[2], size)
    return np.stack([pixels[:, y : y + size, x : x + size] for y, x in origins])


def _name(options: FineTuning, name: str) -> str:
    """Return the name of the model; a table must not show random weights as if they had seen ImageNet."""
    suffix = RANDOM_WEIGHTS.replace(" ", "-")
    return name if options.weights is not None or suffix in name else f"{name}-{suffix}"
