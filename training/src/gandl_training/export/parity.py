"""Parity: an exported model must agree with torch, and a vector must not depend on the other images of its batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime as ort
import torch
from gandl_shared.errors import TrainingFailed
from gandl_shared.models import NoveltyScale, Parity
from numpy.typing import NDArray
from torch import nn

from gandl_training.networks.feature_layer import Scored

MAX_BATCH_DIFFERENCE = 1e-5
"""The largest relative difference between a vector alone and the same vector in a batch."""
MAX_NOVELTY_DIFFERENCE = 0.01
"""The largest difference of a novelty, in standard deviations of training images."""
PROVIDERS = ("CPUExecutionProvider",)

Vectors = NDArray[np.float32]
Uint8 = NDArray[np.uint8]


def onnx_session(model: onnx.ModelProto, output: int = 0) -> Callable[[NDArray[np.generic]], Vectors]:
    """Return a function that runs `model` in ONNX Runtime on the CPU and returns an output by its number."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=list(PROVIDERS))
    name = session.get_inputs()[0].name

    def run(values: NDArray[np.generic]) -> Vectors:
        result: Vectors = session.run(None, {name: values})[output]
        return result

    return run


def check_parity(module: nn.Module, model: onnx.ModelProto, images: Uint8, max_difference: float) -> Parity:
    """Compare torch with ONNX Runtime, and images alone or in fives with all of them in one batch.

    Raises TrainingFailed where torch and ONNX Runtime differ by more than `max_difference`, or a vector depends on its
    batch by more than 1e-5 (relative L2 norms, the largest of all images).
    """
    run = onnx_session(model)
    with torch.no_grad():
        reference = module(torch.from_numpy(images)).numpy()
    together = run(images)
    # One at a time and in fives: both differ from the batch of all images, and 64 is no multiple of five.
    alone = np.concatenate([run(images[i : i + 1]) for i in range(len(images))])
    fives = np.concatenate([run(images[i : i + 5]) for i in range(0, len(images), 5)])
    parity = Parity(
        images=len(images),
        torch_max=relative_difference(together, reference),
        batch_max=max(relative_difference(alone, together), relative_difference(fives, together)),
        providers=PROVIDERS,
    )
    # Not `>`: a difference that is not a number must fail too.
    if not (parity.torch_max <= max_difference and parity.batch_max <= MAX_BATCH_DIFFERENCE):
        raise TrainingFailed(
            f"the exported model does not agree with torch or depends on the batch: {parity}; the limits are "
            f"{max_difference:g} and {MAX_BATCH_DIFFERENCE:g}. Try --precision float32, or another version of torch"
        )
    return parity


def check_novelty(module: Scored, model: onnx.ModelProto, images: Uint8, fitted: int) -> NoveltyScale:
    """Compare the second output with torch, and images alone with all of them in one batch.

    `fitted` is the number of images whose scores gave the scale. Raises TrainingFailed where a novelty differs by more
    than MAX_NOVELTY_DIFFERENCE.
    """
    run = onnx_session(model, output=1)
    with torch.no_grad():
        reference = module(torch.from_numpy(images))[1].numpy()
    together = run(images)
    alone = np.concatenate([run(images[i : i + 1]) for i in range(len(images))])
    scale = NoveltyScale(
        images=fitted,
        mean=float(module.mean),
        deviation=float(module.deviation),
        torch_max=float(np.abs(together - reference).max()),
        batch_max=float(np.abs(alone - together).max()),
    )
    if not max(scale.torch_max, scale.batch_max) <= MAX_NOVELTY_DIFFERENCE:
        raise TrainingFailed(
            f"the novelty of the exported model does not agree with torch or depends on the batch: {scale}; the limit "
            f"is {MAX_NOVELTY_DIFFERENCE:g} standard deviations. Leave --novelty out"
        )
    return scale


def relative_difference(vectors: Vectors, reference: Vectors) -> float:
    """Return the largest ‖vector − reference‖ / ‖reference‖ over the rows of both, [N, F]."""
    difference = np.linalg.norm(vectors.astype(np.float64) - reference, axis=1)
    return float((difference / np.linalg.norm(reference, axis=1)).max())
