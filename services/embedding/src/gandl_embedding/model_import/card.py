"""What the user says about a foreign model: its input, its output and its origin. The file is JSON."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from gandl_shared.errors import BadInput, Invalid, Problem, raise_if
from gandl_shared.files.regular import read_regular
from gandl_shared.models import Channel
from gandl_shared.schemas.base import Frozen
from pydantic import Field, ValidationError

MAX_CARD_BYTES = 2**20
MAX_TILE_VALUES = 2**23
"""Channels times pixels: a dozen tiles of this size are checked in about 2 GB of memory."""


class Pooling(StrEnum):
    """How an output of the network becomes one vector per image.

    `none`: the output is [N, D] already. `cls`: the first token of [N, T, D]. `tokens`: the mean over the tokens of
    [N, T, D]. `space`: the mean over the pixels of [N, D, H, W].
    """

    NONE = "none"
    CLS = "cls"
    TOKENS = "tokens"
    SPACE = "space"


class ChannelMode(StrEnum):
    """Whether the network takes all channels together, or one channel at a time.

    In `separate` each channel passes through the network by itself, repeated to fill its input channels, and the
    vectors of the channels are joined in their order.
    """

    TOGETHER = "together"
    SEPARATE = "separate"


class ImportCard(Frozen):
    """The card of a foreign model, from which its model card is written.

    The network gets (x / 255 · maximum - mean) / deviation per input channel, where x is a pixel of a tile from 0 to
    255. Without `mean` and `deviation` it gets x / 255 · maximum, and a network of type `uint8` gets x itself.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="name of the model and of its file")
    channels: tuple[Channel, ...] = Field(min_length=1, max_length=64)
    size: int = Field(ge=16, le=4096, description="edge of a tile in pixels, after downscaling")
    downscale: int = Field(default=1, ge=1, le=64, description="fields are averaged over blocks of so many pixels")
    pixel_size_um: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    input_type: Literal["float", "uint8"] = Field(description="type of the pixels that the network takes")
    input_size: int | None = Field(
        default=None, ge=16, le=4096, description="edge of the network's input; tiles are enlarged to it"
    )
    maximum: Literal[1, 255] = Field(default=1, description="white, before mean and deviation are applied")
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    channel_mode: ChannelMode = ChannelMode.TOGETHER
    output: str | None = Field(default=None, description="name of the output, where the network has several")
    pooling: Pooling = Pooling.NONE
    prefix_tokens: int = Field(default=0, ge=0, description="tokens at the start that `tokens` leaves out of its mean")
    features: int = Field(ge=1, le=2**16, description="length of the vector, over all channels")
    data: str = Field(default="unspecified", description="what the model was trained on")
    licence: str = "unspecified"
    attribution: str | None = None

    @property
    def edge(self) -> int:
        """The edge of the network's input in pixels."""
        return self.input_size or self.size


def read_import_card(path: Path) -> ImportCard:
    """Read a card. Raises NotFound, BadInput where it is no JSON of a card, Invalid where its values contradict."""
    content = read_regular(path, "card", MAX_CARD_BYTES, BadInput)
    try:
        card = ImportCard.model_validate_json(content)
    except ValidationError as error:
        problems = [Problem(f"{_location(each['loc'])}: {each['msg']}", file=path.name) for each in error.errors()]
        raise Invalid(f"the card {path.name} cannot be used: {problems[0]}", problems=problems) from error
    raise_if([Problem(text, file=path.name) for text in _contradictions(card)], Invalid, "the card contradicts itself")
    return card


def _location(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the whole file"


def _contradictions(card: ImportCard) -> list[str]:
    problems = []
    names = [channel.name for channel in card.channels]
    if len(set(names)) < len(names):
        problems.append(f"channels: a name occurs twice in {', '.join(names)}")
    problems += [
        f"channels: low {channel.low} and high {channel.high} of {channel.name}; give both, low below high, or neither"
        for channel in card.channels
        if not _is_range(channel.low, channel.high)
    ]
    if len({channel.low is None for channel in card.channels}) > 1:
        problems.append("channels: some have low and high and others do not; give them for all channels or for none")
    values = len(card.channels) * card.size**2
    if values > MAX_TILE_VALUES:
        problems.append(f"size: a tile has {values} values, more than {MAX_TILE_VALUES}; give a smaller size")
    if card.edge < card.size:
        problems.append(f"input_size: {card.edge} is below size {card.size}; average the fields by downscale instead")
    if card.prefix_tokens and card.pooling is not Pooling.TOKENS:
        problems.append(f"prefix_tokens: it has no effect with pooling {card.pooling}; use pooling tokens")
    return [*problems, *_normalisation_problems(card)]


def _is_range(low: float | None, high: float | None) -> bool:
    return low is high is None or (low is not None and high is not None and low < high)


def _normalisation_problems(card: ImportCard) -> list[str]:
    mean, deviation = card.mean, card.deviation
    if mean is None or deviation is None:
        return [] if mean is deviation else ["mean: give mean and deviation together, or neither"]
    if card.input_type == "uint8":
        return ["mean: a network that takes uint8 gets the pixels as they are; leave mean and deviation out"]
    if len(mean) != len(deviation):
        return [f"deviation: it has {len(deviation)} numbers and mean has {len(mean)}"]
    if not all(0 <= each <= card.maximum for each in mean) or not all(0 < each <= card.maximum for each in deviation):
        return [
            f"mean: {list(mean)} and {list(deviation)} do not fit pixels from 0 to {card.maximum}; "
            "set maximum to 255 where they belong to pixels from 0 to 255"
        ]
    if card.maximum == 255 and max(*mean, *deviation) <= 1:
        return [f"mean: {list(mean)} and {list(deviation)} belong to pixels from 0 to 1; set maximum to 1"]
    return []
