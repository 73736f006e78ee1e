"""Which channel that a client sends feeds which input of the model, where the client names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gandl_shared.errors import Invalid
from gandl_shared.models import ModelCard

from gandl_embedding.inputs.uploads import CHANNEL, IMAGE, Upload


def channel_order(names: Sequence[str], card: ModelCard) -> list[int] | None:
    """Return which of the channels that are sent, by their names, feeds each input of the model; None without names.

    Raises Invalid unless the names are those of the model's channels, in whatever order and case.
    """
    if not names:
        return None
    places = {name.strip().casefold(): number for number, name in enumerate(names)}
    inputs = [channel.name.strip().casefold() for channel in card.channels]
    if len(places) != len(names) or set(places) != set(inputs):
        raise Invalid(
            f"the channels {', '.join(names)[:200]} are not those of {card.name}, each once: {channel_names(card)}"
        )
    return [places[name] for name in inputs]


def files_by_channel(uploads: Sequence[Upload], card: ModelCard) -> list[Upload] | None:
    """Return files whose form fields are names of channels in the order of the model, image by image; None for others.

    Raises Invalid where a channel has another number of files than the others.
    """
    names = [channel.name for channel in card.channels]
    files = {name.casefold(): [u for u in uploads if u.field.strip().casefold() == name.casefold()] for name in names}
    if sum(map(len, files.values())) != len(uploads) or not uploads or {IMAGE, CHANNEL} & set(files):
        return None
    counts = {name: len(of_name) for name, of_name in files.items()}
    if len(set(counts.values())) > 1:
        numbers = ", ".join(f"{name} {counts[name.casefold()]}" for name in names)
        raise Invalid(
            f"each channel needs as many files as the others, in the order of the images; there are {numbers}"
        )
    return [replace(file, field=CHANNEL) for image in zip(*files.values(), strict=True) for file in image]


def channel_names(card: ModelCard) -> str:
    """Return the names of the inputs of a model for a message."""
    return ", ".join(channel.name for channel in card.channels)
