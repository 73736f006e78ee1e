"""The model card: the input that an ONNX featurizer expects, and its origin. The ONNX file contains the card.

Vectors that were read from a table have a `TableCard` in its place.

The card is JSON under the metadata key `gandl_card`. A model without a card was not exported by gandl and is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from gandl_shared.errors import Invalid, InvalidModel
from gandl_shared.models.numerics import Numerics
from gandl_shared.plates import ModelInput
from gandl_shared.plates.selection import contradicts
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.vocabulary import TableLevel

BASELINES = ("intensity", "pca", "untrained", "cp-measure")
"""The featurizers that gandl makes itself, without a file; only the command line computes them."""
METADATA_KEY = "gandl_card"


class Channel(Frozen):
    """One input channel of the model. The raw intensities `low` and `high` become 0 and 255.

    Both are None for a model that was not trained by gandl: only the percentiles of a plate, or limits that the user
    gives, turn images into its tiles.
    """

    name: str
    stain: str | None = None
    low: float | None = None
    high: float | None = None


class TrainingRecord(Frozen):
    """The origin of the weights. `command` repeats the training; `kimg` is the number of real images in thousands."""

    data: str
    licence: str
    attribution: str | None = None
    kimg: float = Field(ge=0)
    seed: int
    command: str
    version: str
    commit: str | None = None


class Parity(Frozen):
    """The largest relative differences (L2): ONNX Runtime against torch, and a vector alone against in a batch."""

    images: int
    torch_max: float
    batch_max: float
    providers: tuple[str, ...]


class NoveltyScale(Frozen):
    """The second output of a model, `novelty`: how far the discriminator's score of a tile lies below its mean over
    training `images`, in their standard deviations. The score is taken with the running mean of the minibatch standard
    deviation, so it does not depend on other tiles. `torch_max` and `batch_max` are the largest differences between
    ONNX Runtime and torch, and between a tile alone and in a batch."""

    images: int
    mean: float
    deviation: float
    torch_max: float
    batch_max: float


class ModelCard(Frozen):
    """All that is needed to prepare images for a model in the same way everywhere, and to judge the model."""

    format: int = 1
    name: str
    channels: tuple[Channel, ...] = Field(min_length=1)
    size: int = Field(ge=16, description="edge of the square input tile, pixels after downscaling")
    downscale: int = Field(ge=1, description="fields are averaged over downscale × downscale pixels first")
    pixel_size_um: float | None = None
    features: int = 512
    tap: str = Field(
        description="layer of the discriminator whose output is the embedding: fc, pool, multi, fine, fc-multi or all"
    )
    orientations: int = Field(
        default=1, description="a vector is the mean over so many orientations of its tile, 1 or 8"
    )
    scales: int = Field(
        default=1,
        description="a vector joins those of so many scales of its tile: 1, or 2 with its middle half, enlarged",
    )
    whitened: bool = Field(
        default=False, description="the features are principal components of variance 1 on training tiles"
    )
    precision: str = "float32"
    parameters: int
    normalisation: str = "per channel (x - low) / (high - low) to 0..255, rounded, clipped; scaled to -1..1 inside"
    training: TrainingRecord
    parity: Parity | None = None
    metrics: Mapping[str, float] = Field(default_factory=dict)
    novelty: NoveltyScale | None = None

    @property
    def limits(self) -> IntensityLimits:
        """The intensity limits of the model's own training images. Raises Invalid where its card has none."""
        limits = [(c.low, c.high) for c in self.channels if c.low is not None and c.high is not None]
        if len(limits) < len(self.channels):
            raise Invalid(
                f"the card of {self.name} has no intensity limits, because it was not trained on images of this kind; "
                "use the percentiles of each plate (--limits plate), or send low and high of every channel"
            )
        return IntensityLimits(low=tuple(low for low, _ in limits), high=tuple(high for _, high in limits))

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The names of its channels, in order."""
        return tuple(channel.name for channel in self.channels)

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """The names and stains of the channels, by which channels of images are assigned to them."""
        return tuple(ModelInput(name=channel.name, stain=channel.stain) for channel in self.channels)

    def contradiction(self, names: Sequence[str]) -> str | None:
        """Return how the names of channels in the files contradict the order of the inputs, None if they do not.

        `names` are those of all channels, in the order in which they would feed the model; other numbers of names and
        names that the model does not know contradict nothing.
        """
        if len(names) != len(self.channels) or not contradicts(names, self.inputs):
            return None
        named = ", ".join(name or "(no name)" for name in names)
        takes = ", ".join(channel.name for channel in self.channels)
        return f"the channels are named {named} in the files (in this order), but model {self.name} takes {takes}"


class FeatureRule(StrEnum):
    """Why a feature of a table is not used."""

    BLOCKLISTED = "blocklisted"
    MISSING = "missing"
    CONSTANT = "constant"
    DUPLICATED = "duplicated"
    OUTLYING = "outlying"


class TableCard(Frozen):
    """The origin of vectors that come from a table, where those of a screen have the card of their model.

    `name` is the file, `sha256` its content, and `form` who writes such tables. A row of the file describes a `level`;
    rows of cells were averaged. `features` is the number of features in use, `left_out` counts the others by rule, and
    `filled` is the number of missing values that became the median of their feature. `scaled`: each feature was divided
    by its robust spread, because features with names of their own have units of their own.
    """

    name: str
    sha256: str
    form: str
    level: TableLevel
    rows: int = Field(ge=0)
    features: int = Field(ge=0)
    left_out: Mapping[FeatureRule, int] = Field(default_factory=dict)
    filled: int = Field(ge=0, default=0)
    scaled: bool

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels of its images, which nobody knows."""
        return ()


VectorCard = ModelCard | TableCard
"""The origin of vectors: the model that computed them, or the table that they were read from."""


def card_from_metadata(metadata: Mapping[str, str], *, file: str) -> ModelCard:
    """Return the card from the metadata of an ONNX file. Raises InvalidModel, which names the file."""
    text = metadata.get(METADATA_KEY)
    if text is None:
        raise InvalidModel(f"{file} has no gandl model card; export one with `gandl export`")
    try:
        return ModelCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidModel(f"{file}: the model card is invalid at {where or 'the top'}: {first['msg']}") from error


def model_id(path: Path) -> str:
    """Return the SHA-256 of the model file, hex: the identity of a model in the keys of vectors."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Embedder(Protocol):
    """Turns tiles into vectors: the one interface of every featurizer.

    It is implemented by the ONNX session of this process, by the client of the embedding service, and by the baselines
    of the command line (`gandl.featurizers`). The card has the name and the length of the vectors.
    """

    @property
    def card(self) -> ModelCard:
        """The card of the model."""

    @property
    def model_id(self) -> str:
        """SHA-256 of the model file, hex."""

    @property
    def numerics(self) -> Numerics:
        """How the vectors of the last call were computed, or, before any, those of the next one."""

    def embed(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors [N, features] of tiles [N, C, size, size]. A vector does not depend on the other tiles."""
