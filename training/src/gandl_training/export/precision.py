"""A smaller form of an exported featurizer: float16. The input stays uint8 and the embedding stays float32.

int8 is not offered, because it came too far from float32 (docs/precision.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import onnx
from gandl_shared.errors import BadInput


class Precision(StrEnum):
    """The precision of weights and arithmetic."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


MAX_DIFFERENCE: Mapping[Precision, float] = {Precision.FLOAT32: 1e-4, Precision.FLOAT16: 5e-3}
"""The largest relative L2 difference from torch that an export may have."""


def parse_precision(name: str) -> Precision:
    """Return the precision of that name. Raises BadInput where there is none."""
    if name not in list(Precision):
        raise BadInput(f"unknown precision '{name}'; use one of {', '.join(Precision)}")
    return Precision(name)


def convert(model: onnx.ModelProto, precision: Precision) -> onnx.ModelProto:
    """Return `model` in that precision."""
    return to_float16(model) if precision is Precision.FLOAT16 else model


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return `model` with weights and arithmetic in float16; its embedding stays float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16  # noqa: PLC0415 - only this precision needs it

    float16: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True)
    return float16
