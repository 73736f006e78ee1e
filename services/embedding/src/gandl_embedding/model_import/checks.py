"""The checks of an import: the new graph agrees with the foreign network, and a vector depends on its image alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gandl_shared.errors import InvalidModel
from gandl_shared.models import Parity
from numpy.typing import NDArray
from onnx import TensorProto

from gandl_embedding.engine import CPU
from gandl_embedding.model_import.card import ChannelMode, ImportCard, Pooling
from gandl_embedding.model_import.source import ForeignModel

MAX_DIFFERENCE, MAX_BATCH_DIFFERENCE = 1e-4, 1e-5
"""The largest relative differences (L2) from the network itself, and between a vector alone and in a batch."""
MAX_HALF_DIFFERENCE = 5e-3
"""Both limits for a network in float16, which has three digits."""

Tiles = NDArray[np.uint8]
Vectors = NDArray[np.floating]

_AXES = {Pooling.NONE: (2, "[N, D]"), Pooling.CLS: (3, "[N, tokens, D]"), Pooling.TOKENS: (3, "[N, tokens, D]")}


def check_input(model: ForeignModel, card: ImportCard) -> None:
    """Raise InvalidModel where the input of the network is not what the card says."""
    problems = []
    kind = "uint8" if model.input_type == TensorProto.UINT8 else "float"
    if kind != card.input_type:
        problems.append(f"input_type is {card.input_type} on the card, but the network takes {kind}")
    if model.edge is not None and model.edge != card.edge:
        problems.append(
            f"the network takes {model.edge}×{model.edge} pixels and the card says {card.edge}; set size to "
            f"{model.edge}, or input_size for tiles that are enlarged"
        )
    if card.channel_mode is ChannelMode.TOGETHER and model.channels != len(card.channels):
        problems.append(
            f"the network takes {model.channels} channels and the card has {len(card.channels)}; name as many, or set "
            "channel_mode to separate"
        )
    if card.channel_mode is ChannelMode.SEPARATE and model.channels not in (1, 3):
        problems.append(
            f"channel_mode separate is for networks of 1 or 3 channels, and this one takes {model.channels}"
        )
    if card.mean is not None and len(card.mean) not in (1, model.channels):
        problems.append(
            f"mean and deviation have {len(card.mean)} numbers for {model.channels} channels of the network"
        )
    if problems:
        raise InvalidModel(f"{model.name} does not fit its card: {'; '.join(problems)}")


def output_name(model: ForeignModel, card: ImportCard) -> str:
    """Return the name of the output that becomes the vector. Raises InvalidModel where the choice is open or wrong."""
    if card.output is None and len(model.outputs) > 1:
        raise InvalidModel(f"{model.name} has the outputs {', '.join(model.outputs)}; name one as `output` on the card")
    output = card.output or model.outputs[0]
    if output not in model.outputs:
        raise InvalidModel(f"{model.name} has no output {output}; it has {', '.join(model.outputs)}")
    return output


def check_output(values: NDArray[np.generic], model: ForeignModel, card: ImportCard, images: int) -> None:
    """Raise InvalidModel where pooling and width of the card do not fit the output for so many images of the network.

    A wrong choice could otherwise mix images, because the output is reshaped to vectors.
    """
    rank, form = _AXES.get(card.pooling, (4, "[N, D, height, width]"))
    shape = list(values.shape)
    if len(shape) != rank or shape[0] != images:
        raise InvalidModel(
            f"{model.name} returns the shape {shape} for {images} images; pooling {card.pooling} needs {form}"
        )
    if not np.issubdtype(values.dtype, np.floating):
        raise InvalidModel(f"{model.name} returns {values.dtype}, and a vector is of floating point")
    if card.pooling is Pooling.TOKENS and card.prefix_tokens >= shape[1]:
        raise InvalidModel(f"{model.name} returns {shape[1]} tokens, and prefix_tokens leaves {card.prefix_tokens} out")
    width = shape[1] if card.pooling in (Pooling.NONE, Pooling.SPACE) else shape[2]
    count = len(card.channels) if card.channel_mode is ChannelMode.SEPARATE else 1
    if width * count != card.features:
        times = f" for each of {count} channels, {width * count} in all" if count > 1 else ""
        raise InvalidModel(f"{model.name} returns {width} numbers{times}; the card says features {card.features}")


def check_vectors(embed: Callable[[Tiles], Vectors], reference: Vectors, tiles: Tiles, model: ForeignModel) -> Parity:
    """Compare the imported graph with the network itself, and images alone or in fives with all of them together.

    Raises InvalidModel with the reason where a vector is not finite, depends on other images or on the run, does not
    depend on its image, or differs from the `reference` [N, features] of the network.
    """
    together = embed(tiles)
    if not np.isfinite(together).all():
        blank = " for a blank tile" if np.isfinite(together[:-2]).all() else ""
        raise InvalidModel(f"{model.name} returns vectors that are not finite{blank}; no analysis can use them")
    half = model.input_type == TensorProto.FLOAT16
    alone = np.concatenate([embed(tiles[i : i + 1]) for i in range(len(tiles))])
    fives = np.concatenate([embed(tiles[i : i + 5]) for i in range(0, len(tiles), 5)])
    repeated = relative_difference(embed(tiles), together)
    batch = max(relative_difference(each, together) for each in (alone, fives))
    if not repeated <= MAX_BATCH_DIFFERENCE:
        raise InvalidModel(
            f"{model.name} returns another vector in every run (relative difference {repeated:.1e}); export it in "
            "evaluation mode, without dropout and random numbers"
        )
    if not batch <= (MAX_HALF_DIFFERENCE if half else MAX_BATCH_DIFFERENCE):
        raise InvalidModel(
            f"{model.name}: the vector of an image depends on the other images of its batch (relative difference "
            f"{batch:.1e}); export it in evaluation mode, so that batch normalisation uses its stored means"
        )
    if relative_difference(together[1:-2], together[:-3]) == 0:
        raise InvalidModel(f"{model.name} returns the same vector for every image; choose another output")
    difference = relative_difference(together, reference)
    if not difference <= (MAX_HALF_DIFFERENCE if half else MAX_DIFFERENCE):
        raise InvalidModel(
            f"{model.name} returns other vectors after the import (relative difference {difference:.1e})"
        )
    return Parity(images=len(tiles), torch_max=difference, batch_max=batch, providers=(CPU,))


def relative_difference(vectors: Vectors, reference: Vectors) -> float:
    """Return the largest ‖vector − reference‖ / ‖reference‖ over the rows of both, [N, F]."""
    difference = np.linalg.norm(vectors.astype(np.float64) - reference, axis=1)
    # The smallest norm keeps the quotient of two vectors of zeros at 0.
    return float((difference / np.maximum(np.linalg.norm(reference, axis=1), 1e-12)).max())
