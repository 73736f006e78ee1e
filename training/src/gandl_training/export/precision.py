"""Smaller forms of an exported featurizer: float16, and int8 calibrated on training tiles.

The input stays uint8 and the embedding stays float32 in each precision.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np
import onnx
from gandl_shared.errors import BadInput
from numpy.typing import NDArray

CALIBRATION_BATCH = 32


class Precision(StrEnum):
    """The precision of weights and arithmetic."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT8 = "int8"


MAX_DIFFERENCE: Mapping[Precision, float] = {Precision.FLOAT32: 1e-4, Precision.FLOAT16: 5e-3, Precision.INT8: 0.15}
"""The largest relative L2 difference from torch that an export may have."""


def parse_precision(name: str) -> Precision:
    """Return the precision of that name. Raises BadInput where there is none."""
    if name not in list(Precision):
        raise BadInput(f"unknown precision '{name}'; use one of {', '.join(Precision)}")
    return Precision(name)


def convert(model: onnx.ModelProto, precision: Precision, tiles: NDArray[np.uint8]) -> onnx.ModelProto:
    """Return `model` in that precision; `tiles` [N, C, S, S] calibrate int8."""
    match precision:
        case Precision.FLOAT16:
            return to_float16(model)
        case Precision.INT8:
            return to_int8(model, tiles)
        case Precision.FLOAT32:
            return model


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return `model` with weights and arithmetic in float16; its embedding stays float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16  # noqa: PLC0415 - only this precision needs it

    float16: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True)
    return float16


def to_int8(model: onnx.ModelProto, tiles: NDArray[np.uint8]) -> onnx.ModelProto:
    """Quantise `model` statically (QDQ): weights to int8 per output channel, activations to uint8 by their range on
    `tiles`.

    The first convolution and the dense layer stay float32. Together they are a hundredth of the arithmetic, but the
    first gets raw pixels and the last computes the embedding itself.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static  # noqa: PLC0415 - slow, only for int8
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415 - slow, only for int8

    with tempfile.TemporaryDirectory() as folder:
        source, inferred, int8 = (Path(folder) / name for name in ("float.onnx", "inferred.onnx", "int8.onnx"))
        onnx.save(model, source)
        # The quantiser needs the shapes of all activations, so they are inferred first.
        quant_pre_process(source, inferred)
        prepared = onnx.load(inferred)
        quantize_static(
            inferred,
            int8,
            CalibrationBatches(prepared.graph.input[0].name, tiles),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            op_types_to_quantize=["Conv"],  # not Gemm, the dense layer
            nodes_to_exclude=_first_convolution(prepared),
        )
        return onnx.load(int8)


def _first_convolution(model: onnx.ModelProto) -> list[str]:
    return [node.name for node in model.graph.node if node.op_type == "Conv"][:1]


class CalibrationBatches:
    """The calibration tiles as ONNX Runtime reads them: one batch per call, and None at the end."""

    def __init__(self, name: str, tiles: NDArray[np.uint8]) -> None:
        batches = (tiles[i : i + CALIBRATION_BATCH] for i in range(0, len(tiles), CALIBRATION_BATCH))
        self.batches: Iterator[dict[str, NDArray[np.uint8]]] = ({name: batch} for batch in batches)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next batch by the name of the input."""
        return next(self.batches, None)
