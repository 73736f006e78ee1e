"""What a model card says about a trained discriminator: its input, its origin, and how it separates controls."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gandl_shared.errors import BadInput
from gandl_shared.models import Channel, TrainingRecord
from numpy.typing import NDArray

from gandl_training.data.field_store import FieldStore, StoreIndex, Uint8
from gandl_training.evaluation.control_tiles import probed_cell_lines
from gandl_training.evaluation.probe import embed_tiles, probe
from gandl_training.export.weights import Weights
from gandl_training.run.commit import recorded_commits
from gandl_training.run.run_folder import recorded_commands


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a card says that the run itself cannot know; a `commit` that is given replaces the recorded ones."""

    name: str
    data: str
    licence: str
    attribution: str | None = None
    stains: tuple[str, ...] | None = None
    pixel_size_um: float | None = None
    commit: str | None = None

    def __post_init__(self) -> None:
        if self.pixel_size_um is not None and not 0 < self.pixel_size_um < math.inf:
            raise BadInput(f"pixel size {self.pixel_size_um:g} µm is not a length; give one above 0, such as 0.65")


def card_channels(index: StoreIndex, provenance: Provenance) -> tuple[Channel, ...]:
    """Return the input channels with their limits. Raises BadInput where stains and channels differ in number."""
    stains = provenance.stains or (None,) * len(index.channels)
    if len(stains) != len(index.channels):
        raise BadInput(f"{len(stains)} stains for {len(index.channels)} channels: {', '.join(map(str, stains))}")
    columns = zip(index.channels, stains, index.low, index.high, strict=True)
    return tuple(Channel(name=name, stain=stain, low=low, high=high) for name, stain, low, high in columns)


def training_record(run: Path, weights: Weights, provenance: Provenance) -> TrainingRecord:
    """Return the origin of the weights: data, licence, command, seed, version and commit."""
    return TrainingRecord(
        data=provenance.data,
        licence=provenance.licence,
        attribution=provenance.attribution,
        kimg=weights.kimg,
        seed=weights.checkpoint.config.seed,
        command=recorded_commands(run),
        version=version("gandl-training"),
        commit=provenance.commit or recorded_commits(run),
    )


def control_metrics(store: FieldStore, embed: Callable[[Uint8], NDArray[np.float32]], size: int) -> dict[str, float]:
    """Return the control probe of each cell line with two wells of both controls, by the names that a card has.

    There is no Z′ where the held-out positive controls score below the negative ones.
    """
    metrics: dict[str, float] = {}
    for cell_line, controls in probed_cell_lines(store, size).items():
        result = probe(embed_tiles(embed, controls.tiles), controls)
        metrics[f"control_accuracy_{cell_line}"] = round(result.accuracy, 4)
        if result.z_prime is not None:
            metrics[f"control_z_prime_{cell_line}"] = round(result.z_prime, 4)
    return metrics
