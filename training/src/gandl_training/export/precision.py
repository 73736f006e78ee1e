"""Smaller forms of an exported featurizer: float16, and int8 calibrated on training tiles. Inputs and outputs stay."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import onnx
from gandl_shared.errors import BadInput
from numpy.typing import NDArray

Precision = Literal["float32", "float16", "int8"]
LIMITS: dict[Precision, float] = {"float32": 1e-4, "float16": 5e-3, "int8": 0.15}
"""Largest relative L2 difference from torch that an export may have."""
CALIBRATION_BATCH = 32


def precision(name: str) -> Precision:
    """Check a precision's name. Raises BadInput."""
    for known in get_args(Precision):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise BadInput(f"unknown precision '{name}'; use one of {', '.join(get_args(Precision))}")


def converted(model: onnx.ModelProto, to: Precision, tiles: NDArray[np.uint8]) -> onnx.ModelProto:
    """`model` in that precision; `tiles` [N, C, S, S] calibrate int8."""
    if to == "float16":
        return to_float16(model)
    return to_int8(model, tiles) if to == "int8" else model


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights and arithmetic in float16; the embedding comes out as float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    small: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True)
    return small


def to_int8(model: onnx.ModelProto, tiles: NDArray[np.uint8]) -> onnx.ModelProto:
    """Static quantisation (QDQ): weights int8 per output channel, activations uint8 by their range on `tiles`.

    The image layer and the dense layer stay float32: together they are a hundredth of the arithmetic, the first sees
    raw pixels and the last gives the embedding itself.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        source, ready, small = (Path(folder) / name for name in ("float.onnx", "ready.onnx", "int8.onnx"))
        onnx.save(model, source)
        quant_pre_process(source, ready)
        prepared = onnx.load(ready)
        quantize_static(
            ready,
            small,
            _Tiles(prepared.graph.input[0].name, tiles),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=_first_convolution(prepared),
        )
        return onnx.load(small)


def _first_convolution(model: onnx.ModelProto) -> list[str]:
    return [node.name for node in model.graph.node if node.op_type == "Conv"][:1]


class _Tiles:
    """Calibration batches as onnxruntime asks for them: one call a batch, None at the end."""

    def __init__(self, name: str, tiles: NDArray[np.uint8]) -> None:
        batches = (tiles[i : i + CALIBRATION_BATCH] for i in range(0, len(tiles), CALIBRATION_BATCH))
        self.batches: Iterator[dict[str, NDArray[np.uint8]]] = ({name: batch} for batch in batches)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next feed."""
        return next(self.batches, None)
