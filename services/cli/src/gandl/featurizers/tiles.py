"""The form of the tiles that a baseline gets; a model file has it on its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from gandl_shared.models import Channel, ModelCard, TrainingRecord
from numpy.typing import NDArray

DEFAULT_SIZE, DEFAULT_DOWNSCALE = 64, 1

TileSample = Callable[[ModelCard, int], NDArray[np.uint8]]
"""Returns at most so many tiles [N, C, S, S] of a screen, prepared for a card and spread evenly over its fields."""


@dataclass(frozen=True, kw_only=True)
class TileForm:
    """The channels of a tile, the length of its edge in pixels after downscaling, and the factor of the downscaling."""

    channels: tuple[Channel, ...]
    size: int = DEFAULT_SIZE
    downscale: int = DEFAULT_DOWNSCALE
    pixel_size_um: float | None = None

    @classmethod
    def of_card(cls, card: ModelCard) -> TileForm:
        """Return the tiles of a model, so that a baseline gets exactly the same images as the model."""
        return cls(channels=card.channels, size=card.size, downscale=card.downscale, pixel_size_um=card.pixel_size_um)

    @property
    def values_per_tile(self) -> int:
        """The number of pixel values of a tile, C · S · S."""
        return len(self.channels) * self.size**2


def baseline_card(name: str, form: TileForm, *, layer: str, features: int, data: str = "none") -> ModelCard:
    """Return the card of a featurizer that gandl makes itself; `data` says what it was fitted on."""
    return ModelCard(
        name=name,
        channels=form.channels,
        size=form.size,
        downscale=form.downscale,
        pixel_size_um=form.pixel_size_um,
        features=features,
        tap=layer,
        parameters=0,
        normalisation="per channel (x - low) / (high - low) to 0..255, rounded, clipped",
        training=TrainingRecord(
            data=data, licence="unspecified", kimg=0, seed=0, command=f"--model {name}", version=version("gandl")
        ),
    )
