"""The GAN-DL discriminator with random weights, exported without a run: the baseline that training must exceed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import onnx
import torch
from gandl_shared.models import Channel, ModelCard, Parity, TrainingRecord

from gandl_training.config import NetworkConfig, preset, with_input
from gandl_training.data.field_store import Uint8
from gandl_training.export.onnx_export import model_bytes, to_onnx
from gandl_training.export.parity import check_parity
from gandl_training.export.precision import MAX_DIFFERENCE, Precision
from gandl_training.networks.feature_layer import Featurizer, feature_count, feature_layer
from gandl_training.networks.stylegan2 import Discriminator, parameter_count


@dataclass(frozen=True, kw_only=True)
class UntrainedForm:
    """The input of the network, the seed of its weights, the layer whose output is the vector, and the preset whose
    widths the network has."""

    name: str
    channels: tuple[Channel, ...]
    size: int
    downscale: int
    seed: int
    layer: str
    pixel_size_um: float | None = None
    preset: str = "cpu-64"

    @property
    def config(self) -> NetworkConfig:
        """The shape of the network. Raises BadInput where `size` is no power of two from 16, or for another preset."""
        return with_input(preset(self.preset), channels=len(self.channels), resolution=self.size).network

    def discriminator(self) -> Discriminator:
        """Return the network; the same seed always gives the same weights."""
        torch.manual_seed(self.seed)
        return Discriminator(self.config)


def untrained_card(form: UntrainedForm, discriminator: Discriminator, parity: Parity | None) -> ModelCard:
    """Return the card, which says that the weights are random. Raises BadInput for an unknown layer."""
    return ModelCard(
        name=form.name,
        channels=form.channels,
        size=form.size,
        downscale=form.downscale,
        pixel_size_um=form.pixel_size_um,
        features=feature_count(discriminator, feature_layer(form.layer)),
        tap=form.layer,
        parameters=parameter_count(discriminator),
        training=TrainingRecord(
            data="random weights",
            licence="Apache-2.0",
            kimg=0,
            seed=form.seed,
            command=f"--model {form.name}",
            version=version("gandl-training"),
        ),
        parity=parity,
    )


def untrained_draft(form: UntrainedForm) -> ModelCard:
    """Return the card before the export, by which tiles for its parity are prepared."""
    return untrained_card(form, form.discriminator(), None)


def untrained_model(form: UntrainedForm, tiles: Uint8) -> bytes:
    """Return the ONNX file of the network, whose parity with torch was checked on `tiles` [N, C, S, S].

    Raises TrainingFailed where torch and ONNX Runtime differ.
    """
    discriminator = form.discriminator()
    module = Featurizer(discriminator, feature_layer(form.layer))
    # The example has three images, because a batch of one would fix the batch size in the graph.
    example = torch.zeros((3, len(form.channels), form.size, form.size), dtype=torch.uint8)
    model: onnx.ModelProto = to_onnx(module, example, "images", "embedding")
    parity = check_parity(module, model, tiles, MAX_DIFFERENCE[Precision.FLOAT32])
    return model_bytes(model, untrained_card(form, discriminator, parity))
