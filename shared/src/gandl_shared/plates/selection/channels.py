"""Which channel of the images feeds which input of the model.

The names decide where there are names, and numbers where there are numbers. The alphabet decides nothing: it put DNA
before GFP for a model that takes GFP first, and the answer was wrong without a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.errors import Invalid, Problem
from gandl_shared.plates.layouts.images import ChannelName

MAX_CHANNEL_NUMBER = 99
"""The largest number that counts channels; larger ones, such as 405, are wavelengths in nm, which have no order."""

_SAME_STAIN: tuple[frozenset[str], ...] = (
    frozenset({"dna", "nuclei", "nucleus", "hoechst", "hoechst33342", "dapi", "draq", "draq5"}),
    frozenset({"er", "concanavalina", "cona", "endoplasmicreticulum"}),
    frozenset({"actin", "phalloidin", "agp"}),
    frozenset({"rna", "syto14", "syto"}),
    frozenset({"golgi", "wga", "wheatgermagglutinin"}),
    frozenset({"mito", "mitochondria", "mitotracker"}),
    frozenset({"gfp", "egfp", "fitc", "fluorescein"}),
)
"""Names of one stain or of the dye that is used for it, in Cell Painting and in RxRx sets (Bray et al. 2016)."""


@dataclass(frozen=True, kw_only=True)
class ModelInput:
    """One input channel of a model: its name and its stain."""

    name: str
    stain: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChannelOrder:
    """Channel tokens of the files in the order in which they feed the model, and why this order."""

    tokens: tuple[str, ...]
    reason: str


def order_channels(
    channels: Sequence[ChannelName], inputs: Sequence[ModelInput], selection: Sequence[str] | None = None
) -> ChannelOrder:
    """Return the order of the channels. `inputs` is empty where no model is known yet.

    The user's selection decides; else the names of the model's channels or stains, where each matches exactly one
    channel; else numbers, in their order, if no name contradicts it. Raises Invalid where none of these decides, with
    the channels of both sides and the option.
    """
    if selection is not None:
        return ChannelOrder(tokens=_selected(channels, selection), reason="as chosen with --channels")
    if len(channels) == 1:
        return ChannelOrder(tokens=(channels[0].token,), reason="the only channel")
    matches = [_matching(channels, each) for each in inputs]
    by_name = _by_names(matches)
    if by_name is not None:
        return ChannelOrder(tokens=by_name, reason="by the names of the model's channels and stains")
    tokens = tuple(channel.token for channel in channels)
    # A larger number is a wavelength: 405 excites DNA and 488 GFP, but the model may take GFP first.
    if all(token.isdigit() and int(token) <= MAX_CHANNEL_NUMBER for token in tokens):
        by_number = tuple(sorted(tokens, key=int))
        if _agrees(by_number, matches):
            return ChannelOrder(tokens=by_number, reason="by the channels' numbers")
    takes = f"the model takes {', '.join(i.name for i in inputs)}" if inputs else "names have no order of their own"
    detail = f"the images have the channels {_listed(channels)}, and {takes}"
    fix = "give --channels in the order of the model's inputs"
    raise Invalid(f"{detail}; {fix}", problems=[Problem(f"{detail}; {fix}", field="channels")])


def _selected(channels: Sequence[ChannelName], selection: Sequence[str]) -> tuple[str, ...]:
    tokens = tuple(_token_of(channels, name) for name in selection)
    repeated = [name for name, token in zip(selection, tokens, strict=True) if tokens.count(token) > 1]
    if repeated:
        raise _unusable(f"--channels names channel '{repeated[0]}' more than once; give each channel once")
    return tokens


def _token_of(channels: Sequence[ChannelName], name: str) -> str:
    tokens = [channel.token for channel in channels if channel.token == name]
    tokens = tokens or [channel.token for channel in channels if channel.name == name]
    if len(tokens) == 1:
        return tokens[0]
    if tokens:
        raise _unusable(f"several channels have the name '{name}': {_listed(channels)}; give the token before the name")
    raise _unusable(f"channel '{name}' is not among {_listed(channels)}; give --channels with some of these")


def _unusable(detail: str) -> Invalid:
    return Invalid(detail, problems=[Problem(detail, field="channels")])


def _listed(channels: Sequence[ChannelName]) -> str:
    texts = [c.token if not c.name or c.name == c.token else f"{c.token} ({c.name})" for c in channels]
    return ", ".join(sorted(texts))


def _by_names(matches: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """Return one token per input, or None if an input matches no channel or several, or two inputs match the same."""
    if not matches or any(len(tokens) != 1 for tokens in matches):
        return None
    tokens = tuple(tokens[0] for tokens in matches)
    return tokens if len(set(tokens)) == len(tokens) else None


def _agrees(order: Sequence[str], matches: Sequence[Sequence[str]]) -> bool:
    """Return whether no name contradicts an order: each input gets a channel of its name, if there is one, and no
    channel whose name is that of another input."""
    of_inputs = {token for tokens in matches for token in tokens}
    pairs = zip(order, matches, strict=False)
    return all(token in tokens if tokens else token not in of_inputs for token, tokens in pairs)


def _matching(channels: Sequence[ChannelName], model_input: ModelInput) -> list[str]:
    exact = [c.token for c in channels if _plain(model_input.name) in (_plain(c.name or ""), _plain(c.token))]
    if exact:
        return exact
    stains = _stains(model_input.name) | _stains(model_input.stain or "")
    return [c.token for c in channels if stains & (_stains(c.name or "") | _stains(c.token))]


def _stains(text: str) -> set[int]:
    """The numbers of the groups of _SAME_STAIN that a name belongs to; words of a longer name count too."""
    words = {_plain(word) for word in re.split(r"[\s_()/,;-]+", text)} | {_plain(text)}
    return {i for i, names in enumerate(_SAME_STAIN) if words & names}


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def contradicts(names: Sequence[str], inputs: Sequence[ModelInput]) -> bool:
    """Return whether the names of channels, in the order in which they feed a model, say that it takes them in another.

    Names that are none of the model's channels, stains or their dyes contradict nothing.
    """
    channels = [ChannelName(token=f"#{number}", name=name) for number, name in enumerate(names)]
    return not _agrees([channel.token for channel in channels], [_matching(channels, each) for each in inputs])


def channel_names(tokens: Sequence[str], named: Sequence[ChannelName]) -> tuple[ChannelName, ...]:
    """The channels that occur in the files, with the names that an index gives them."""
    names: Mapping[str, str | None] = {channel.token: channel.name for channel in named}
    return tuple(ChannelName(token=token, name=names.get(token)) for token in tokens)
