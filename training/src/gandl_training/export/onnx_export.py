"""From a checkpoint to an ONNX file that carries its own card and proof of parity."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from gandl_shared.errors import BadInput, TrainingFailed
from gandl_shared.models import METADATA_KEY, Channel, ModelCard, Parity, TrainingRecord
from numpy.typing import NDArray
from torch import Tensor, nn

from gandl_training.data.dataset import Crops, FieldStore, StoreIndex
from gandl_training.evaluation.probe import controls_by_line, embed, probe
from gandl_training.export.precision import LIMITS, Precision, converted
from gandl_training.networks.feature_layer import Featurizer, Tap, tap_width
from gandl_training.networks.stylegan2 import Discriminator, Generator, parameters
from gandl_training.run import checkpoint as ckpt
from gandl_training.run.commit import noted_commit
from gandl_training.run.loop import COMMAND, stored

OPSET = 20
PARITY_IMAGES = 64
CALIBRATION_IMAGES = 256
BATCH_LIMIT = 1e-5
PROVIDERS = ("CPUExecutionProvider",)

Floats = NDArray[np.float32]
Uint8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Provenance:
    """What a card says that the run itself cannot know; `commit` wins over the one noted there."""

    name: str
    data: str
    licence: str
    attribution: str | None = None
    stains: tuple[str, ...] | None = None
    pixel_size_um: float | None = None
    commit: str | None = None

    def __post_init__(self) -> None:
        if self.pixel_size_um is not None and not 0 < self.pixel_size_um < math.inf:
            raise BadInput(f"pixel size {self.pixel_size_um:g} µm is no length; give one above 0, such as 0.65")


@dataclass(frozen=True)
class Weights:
    """Which discriminator of a run: its running average (default), the last weights, or an untrained one.

    The untrained one is of the same architecture, initialised from the run's seed; a run makes its generator from that
    seed first, so these are not the weights that its discriminator began with.
    """

    checkpoint: ckpt.Checkpoint
    part: str = "discriminator_ema"
    untrained: bool = False

    def discriminator(self) -> Discriminator:
        """The network, on the CPU."""
        torch.manual_seed(self.checkpoint.config.seed)
        net = Discriminator(self.checkpoint.config.network)
        if not self.untrained:
            net.load_state_dict(self.checkpoint.state[self.part])
        return net

    @property
    def kimg(self) -> float:
        """Thousands of images behind these weights."""
        return 0.0 if self.untrained else self.checkpoint.kimg


@dataclass(frozen=True)
class Form:
    """Which layer, and in which precision."""

    tap: Tap = "fc"
    precision: Precision = "float32"


def export_featurizer(run: Path, weights: Weights, form: Form, provenance: Provenance, out: Path) -> ModelCard:
    """Write the discriminator of `run` as ONNX: `images` uint8 [N, C, R, R] → `embedding` float32 [N, width].

    The card with its parity report lies in the metadata. Raises TrainingFailed where torch and ONNX Runtime differ by
    more than `precision.LIMITS` (1e-4 for float32) or a vector depends on its batch by more than 1e-5, BadInput where
    the stains or the run's data do not fit or the folder is not there; nothing is written then.
    """
    store = stored(run, weights.checkpoint.config.network)
    channels = _channels(store.index, provenance)
    check_writable(out)
    discriminator = weights.discriminator()
    module = Featurizer(discriminator, form.tap)
    images = training_crops(store, weights.checkpoint, PARITY_IMAGES, step=0)
    model = to_onnx(module, torch.from_numpy(images[:3]), "images", "embedding")
    calibration = training_crops(store, weights.checkpoint, CALIBRATION_IMAGES, step=1)
    model = converted(model, form.precision, calibration)
    parity = check_parity(module, model, images, LIMITS[form.precision])
    card = ModelCard(
        name=provenance.name,
        channels=channels,
        size=weights.checkpoint.config.network.resolution,
        downscale=store.index.downscale,
        pixel_size_um=provenance.pixel_size_um,
        features=tap_width(discriminator, form.tap),
        tap=form.tap,
        precision=form.precision,
        parameters=parameters(discriminator),
        training=_record(run, weights, provenance),
        parity=parity,
        metrics=control_metrics(store, session(model), weights.checkpoint.config.network.resolution),
    )
    write(model, card, out)
    return card


def training_crops(store: FieldStore, checkpoint: ckpt.Checkpoint, images: int, *, step: int) -> Uint8:
    """Crops of the training data, [images, C, R, R]."""
    config = checkpoint.config
    return Crops(store, config.network.resolution, images, config.seed).at(step)


def to_onnx(module: nn.Module, example: Tensor, name: str, output: str) -> onnx.ModelProto:
    """Export by torch's dynamo exporter with a free batch dimension."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecation notices, not ours to mend
        program = torch.onnx.export(
            module.eval(),
            (example,),
            dynamo=True,
            input_names=[name],
            output_names=[output],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            verbose=False,
        )
    if program is None:
        raise TrainingFailed("torch.onnx.export gave no program")
    model: onnx.ModelProto = program.model_proto
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.functions):
        del part.metadata_props[:]  # stack traces with the paths of this machine
    return model


def session(model: onnx.ModelProto) -> Callable[[NDArray[np.generic]], Floats]:
    """A function that runs `model` under ONNX Runtime on the CPU."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    runtime = ort.InferenceSession(model.SerializeToString(), options, providers=list(PROVIDERS))
    name = runtime.get_inputs()[0].name

    def call(values: NDArray[np.generic]) -> Floats:
        result: Floats = runtime.run(None, {name: values})[0]
        return result

    return call


def check_parity(module: nn.Module, model: onnx.ModelProto, images: Uint8, limit: float) -> Parity:
    """Largest relative L2 differences: torch against ONNX Runtime, and alone or in fives against one batch."""
    call = session(model)
    with torch.no_grad():
        reference = module(torch.from_numpy(images)).numpy()
    together = call(images)
    alone = np.concatenate([call(images[i : i + 1]) for i in range(len(images))])
    fives = np.concatenate([call(images[i : i + 5]) for i in range(0, len(images), 5)])
    batch = max(relative(alone, together), relative(fives, together))
    parity = Parity(images=len(images), torch_max=relative(together, reference), batch_max=batch, providers=PROVIDERS)
    if not (parity.torch_max <= limit and parity.batch_max <= BATCH_LIMIT):
        raise TrainingFailed(f"the exported model does not agree with torch or depends on the batch: {parity}")
    return parity


def relative(ours: Floats, reference: Floats) -> float:
    """max over vectors of ‖ours − reference‖ / ‖reference‖."""
    difference = np.linalg.norm(ours.astype(np.float64) - reference, axis=1)
    return float((difference / np.linalg.norm(reference, axis=1)).max())


def write(model: onnx.ModelProto, card: ModelCard, out: Path) -> None:
    """Put the card into the metadata and write the file atomically. Raises BadInput where that cannot be."""
    onnx.helper.set_model_props(model, {METADATA_KEY: card.model_dump_json()})
    onnx.checker.check_model(model)
    _write(model, out)


def check_writable(out: Path) -> None:
    """Raises BadInput where a file `out` cannot be: its folder is not there, or it is a folder itself."""
    if not out.parent.is_dir():
        raise BadInput(f"cannot write {out}: folder {out.parent} is not there")
    if out.is_dir():
        raise BadInput(f"cannot write {out}: it is a folder; give the name of a file")


def _write(model: onnx.ModelProto, out: Path) -> None:
    temporary = out.with_suffix(".tmp")
    try:
        temporary.write_bytes(model.SerializeToString())
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BadInput(f"cannot write {out}: {error.strerror}") from error


class SampleGenerator(nn.Module):
    """Latent float32 [N, 512] → uint8 images [N, C, R, R], with one fixed noise."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        rng = torch.Generator().manual_seed(0)
        noise = [torch.randn(1, 1, e, e, generator=rng) for e in generator.noise_edges]
        self.noise = nn.ParameterList(nn.Parameter(n, requires_grad=False) for n in noise)

    def forward(self, latent: Tensor) -> Tensor:
        images: Tensor = self.generator(latent, list(self.noise))
        return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def export_generator(checkpoint: ckpt.Checkpoint, out: Path) -> None:
    """Write the averaged generator: `latent` float32 [N, 512] → `image` uint8 [N, C, R, R]. Raises BadInput."""
    check_writable(out)
    generator = Generator(checkpoint.config.network).eval().requires_grad_(False)
    generator.load_state_dict(checkpoint.state["generator_ema"])
    latent = torch.randn(3, checkpoint.config.network.style, generator=torch.Generator().manual_seed(1))
    _write(to_onnx(SampleGenerator(generator), latent, "latent", "image"), out)


def control_metrics(store: FieldStore, embed_tiles: Callable[[Uint8], Floats], size: int) -> dict[str, float]:
    """Out-of-fold control probe of each cell line that has two wells of both controls, for the card."""
    metrics: dict[str, float] = {}
    for line, controls in controls_by_line(store, size).items():
        result = probe(embed(embed_tiles, controls.tiles), controls)
        metrics |= {f"control_accuracy_{line}": result.accuracy, f"control_z_prime_{line}": result.z_prime}
    return {name: round(value, 4) for name, value in metrics.items()}


def _channels(index: StoreIndex, provenance: Provenance) -> tuple[Channel, ...]:
    stains = provenance.stains or (None,) * len(index.channels)
    if len(stains) != len(index.channels):
        raise BadInput(f"{len(stains)} stains for {len(index.channels)} channels: {', '.join(map(str, stains))}")
    columns = zip(index.channels, stains, index.low, index.high, strict=True)
    return tuple(Channel(name=n, stain=s, low=low, high=high) for n, s, low, high in columns)


def _record(run: Path, weights: Weights, provenance: Provenance) -> TrainingRecord:
    return TrainingRecord(
        data=provenance.data,
        licence=provenance.licence,
        attribution=provenance.attribution,
        kimg=weights.kimg,
        seed=weights.checkpoint.config.seed,
        command=_command(run),
        version=version("gandl-training"),
        commit=provenance.commit or noted_commit(run),
    )


def _command(run: Path) -> str:
    path = run / COMMAND
    return path.read_text().strip() if path.is_file() else "unknown"
