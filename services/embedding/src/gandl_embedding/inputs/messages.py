"""What the service and a decoder process tell each other: a JSON head, and the bytes of files or tiles after it.

Nothing is pickled, because the bytes of a decoder that a hostile file has taken over must not run code in the service.
"""

from __future__ import annotations

import struct
from typing import Self

import numpy as np
from gandl_shared import errors
from gandl_shared.errors import GandlError, InvalidImage
from gandl_shared.models import ModelCard
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.limits import IntensityLimits, PlateIntensities
from numpy.typing import NDArray

from gandl_embedding.inputs.tiles import RequestLimits, Tiles

LENGTH = struct.Struct("<I")
"""The length of a head goes before it."""
MAX_HEAD = 2**24
"""The longest head that the service accepts of a decoder, in bytes."""

_ERRORS = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, GandlError)}


class Part(Frozen):
    """One file of a request: its form field, its name and its number of bytes."""

    field: str
    filename: str
    size: int


class Order(Frozen):
    """What a decoder shall do: the model, the limits of the request and the files that follow."""

    card: ModelCard
    limits: IntensityLimits | None
    max_pixels: int
    max_tiles: int
    allow_clipping: bool
    keep_going: bool = False
    channels: tuple[str, ...] = ()
    parts: tuple[Part, ...]

    @property
    def request_limits(self) -> RequestLimits:
        """The limits of the request."""
        return RequestLimits(
            max_pixels=self.max_pixels,
            max_tiles=self.max_tiles,
            allow_clipping=self.allow_clipping,
            keep_going=self.keep_going,
            channels=self.channels,
        )


class Refusal(Frozen):
    """An error of our tree: the name of its class and its sentence."""

    error: str
    detail: str

    @classmethod
    def of(cls, error: GandlError) -> Self:
        """Return what a decoder says about an error."""
        return cls(error=type(error).__name__, detail=error.detail)

    def as_error(self) -> GandlError:
        """Return the error; a class that the tree does not have counts as InvalidImage."""
        return _ERRORS.get(self.error, InvalidImage)(self.detail)


class Reply(Frozen):
    """What a decoder answers: a refusal, or what belongs to the tiles whose bytes follow."""

    refusal: Refusal | None = None
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    limits: IntensityLimits | None = None
    intensities: PlateIntensities | None = None
    errors: tuple[str | None, ...] = ()

    @classmethod
    def of(cls, tiles: Tiles) -> Self:
        """Return the head of the answer with these tiles."""
        return cls(
            names=tiles.names,
            counts=tiles.counts,
            limits=tiles.limits,
            intensities=tiles.intensities,
            errors=tiles.errors,
        )

    def with_tiles(self, tiles: NDArray[np.uint8]) -> Tiles:
        """Return the answer with its tiles."""
        return Tiles(
            tiles=tiles,
            names=self.names,
            counts=self.counts,
            limits=self.limits,
            intensities=self.intensities,
            errors=self.errors,
        )


def head_of(message: Frozen) -> bytes:
    """Return the head of a message, its length first."""
    text = message.model_dump_json().encode()
    return LENGTH.pack(len(text)) + text
